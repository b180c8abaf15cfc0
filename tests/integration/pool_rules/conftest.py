"""The rules of `concurrent.futures`, those that CPython tests its own pools by, hold for `as_pool()` everywhere.

Written anew from the library's documentation; on each executor that is installed. Two kinds of executor cannot
keep all of them, and `docs/executors.md` says so: one that computes a call in `submit` has none that waits or
runs, and dask tells no difference between a call that waits and one that runs.
"""

import importlib.util
import time
from contextlib import contextmanager
from zlib import crc32

import pytest

from turgo import get_executor
from turgo.testing import calls

SECONDS = 30.0  # more than enough for anything that comes at all
EXECUTORS = {
    "local": {},
    "local_dask-synchronous": {"scheduler": "synchronous"},
    "local_dask-threads": {"scheduler": "threads", "num_workers": 2},
    "local_dask-processes": {"scheduler": "processes", "num_workers": 2},
    "dask": {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}, "debug": False},
    "futures-threads": {"max_workers": 2},
    "futures-processes": {"pool": "concurrent.futures.ProcessPoolExecutor", "max_workers": 2},
    "futures-loky": {"pool": "loky.ProcessPoolExecutor", "max_workers": 2},
}
EVERY_DAY = "local_dask-threads"
SYNCHRONOUS = {"local", "local_dask-synchronous"}
ONE_STATE = {"dask"}  # a call that waits and one that runs are the same to who looks from outside


def needs(name):
    """What has to be installed for an executor of the list."""
    extra = ["loky"] if name == "futures-loky" else []
    return [f"turgo_{name.partition('-')[0]}", *extra]


def pytest_generate_tests(metafunc):
    """On every executor; `make test` runs a test on threads, where all has a meaning, and on one other."""
    if "executor" in metafunc.fixturenames:
        others = [name for name in EXECUTORS if name != EVERY_DAY]
        sample = (EVERY_DAY, others[crc32(metafunc.function.__name__.encode()) % len(others)])
        params = [pytest.param(name, marks=marks_of(name, name not in sample)) for name in EXECUTORS]
        metafunc.parametrize("executor", params, indirect=True, scope="module")


def marks_of(name, rest):
    """The marks of a test on an executor; rest: `make test` leaves it out."""
    return [pytest.mark.cluster] * (name == "dask") + [pytest.mark.matrix] * rest


@pytest.fixture(scope="module")
def executor(request):
    missing = [package for package in needs(request.param) if importlib.util.find_spec(package) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    with get_executor(request.param.partition("-")[0], **EXECUTORS[request.param]).start() as started:
        started.submit(int).result(timeout=SECONDS)
        yield started


@pytest.fixture
def name(request, executor):
    return request.node.callspec.params["executor"]


@pytest.fixture
def pool(executor):
    with executor.as_pool() as made:
        yield made


@pytest.fixture
def waits(name):
    """Skip where `submit` computes the call, so that none ever waits or runs."""
    if name in SYNCHRONOUS:
        pytest.skip("this executor computes a call in submit, so that none ever waits or runs")


@pytest.fixture
def tells_running(name, waits):
    """Skip where nobody is told whether a call waits or runs."""
    if name in ONE_STATE:
        pytest.skip("dask does not tell a call that runs from one that waits")


@pytest.fixture
def nothing_left_running():
    """The executor of this module is open from test to test; leaving it is what the conformance suite checks."""


@pytest.fixture
def gates(tmp_path):
    """Makes calls that run until they are let go; lets go all of them at the end."""
    made = Gates(tmp_path)
    yield made
    made.open_all()


class Gates:
    """Calls that say by a file that they have begun, and run until there is another."""

    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def call(self, pool):
        """The future of such a call, and its number."""
        self.count += 1
        sign, gate = self.folder / f"sign-{self.count}", self.folder / f"gate-{self.count}"
        return pool.submit(calls.meet, str(sign), str(gate), SECONDS), self.count

    def begun(self, number):
        """Wait until the call has begun."""
        assert calls.wait_for(str(self.folder / f"sign-{number}"), SECONDS), "the call did not begin"

    def open(self, number):
        """Let the call come to its end."""
        (self.folder / f"gate-{number}").touch()

    def open_all(self):
        for number in range(1, self.count + 1):
            self.open(number)

    @contextmanager
    def all_slots_taken(self, pool, executor):
        """As many running calls as there are workers; gives their futures."""
        taken = [self.call(pool) for _ in range(executor.slots)]
        for _, number in taken:
            self.begun(number)
        yield [future for future, _ in taken]
        for _, number in taken:
            self.open(number)

    @staticmethod
    def behind(pool, executor):
        """Futures of calls that wait behind those which take all slots; enough that some wait in the pool itself."""
        return [pool.submit(abs, -number) for number in range(8 + 4 * executor.slots)]

    @staticmethod
    def until(holds):
        """Whether it holds within SECONDS."""
        end = time.monotonic() + SECONDS
        while not (held := holds()) and time.monotonic() < end:
            time.sleep(0.01)
        return held
