"""What the executor promises beyond the contract: pools that break, options that are checked, an end in time."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from turgo import get_executor
from turgo.errors import OptionError, WorkerLostError
from turgo.testing import calls

from turgo_futures import FuturesExecutor

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

PROCESSES = "concurrent.futures.ProcessPoolExecutor"
POOLS_OF_PROCESSES = [PROCESSES, "loky.ProcessPoolExecutor"]


def die(_: Any = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("pool", POOLS_OF_PROCESSES)
def test_a_dead_process_loses_its_call_and_no_later_one(pool: str) -> None:
    """The call is WorkerLostError, whose cause is what the pool said; a new pool takes what comes next, twice."""
    with FuturesExecutor(pool, max_workers=2).start() as executor:
        for number in range(2):
            error = executor.submit(die).exception(timeout=60)
            assert isinstance(error, WorkerLostError)
            assert isinstance(error.__cause__, concurrent.futures.BrokenExecutor)
            assert executor.submit(abs, -number).result(timeout=60) == number


@pytest.mark.parametrize("pool", POOLS_OF_PROCESSES)
def test_a_callback_of_a_lost_call_may_submit(pool: str) -> None:
    """Who sends a lost call again from its callback does not wait for the pool that is being ended."""
    again: list[Any] = []
    heard = threading.Event()
    with FuturesExecutor(pool, max_workers=1).start() as executor:

        def send_again(_: Any) -> None:
            again.append(executor.submit(abs, -3))
            heard.set()

        executor.submit(die).add_done_callback(send_again)
        assert heard.wait(60)
        assert again[0].result(timeout=60) == 3


@pytest.mark.parametrize("pool", POOLS_OF_PROCESSES)
def test_an_error_inside_start_ends_processes_that_run(pool: str, tmp_path: Path) -> None:
    """`start()` is left in a moment although a call would run for a minute."""
    with suppress(KeyError), FuturesExecutor(pool, max_workers=1).start() as executor:
        sign = tmp_path / "sign"
        executor.submit(_touch_and_sleep, str(sign))
        assert calls.wait_for(str(sign), 60)
        began = time.monotonic()
        raise KeyError("inside")
    assert time.monotonic() - began < 30


def _touch_and_sleep(path: str) -> None:
    Path(path).touch()
    time.sleep(60)


@pytest.mark.parametrize("pool", POOLS_OF_PROCESSES)
def test_functions_of_no_module_travel(pool: str) -> None:
    """A lambda goes to the worker by value, and so does the one that it returns."""
    with FuturesExecutor(pool, max_workers=1).start() as executor:
        made = executor.submit(lambda number: lambda: number + 1, 1).result(timeout=60)
    assert made() == 2


def test_threads_get_the_objects_themselves() -> None:
    """No pickling where memory is shared, unless it is asked for."""
    lock = threading.Lock()
    with FuturesExecutor(max_workers=1).start() as executor:
        assert executor.submit(lambda value: value, lock).result(timeout=60) is lock
    with FuturesExecutor(max_workers=1, pickled=True).start() as executor:
        value = ["a list"]
        copied = executor.submit(lambda value: value, value).result(timeout=60)
        assert copied == value
        assert copied is not value


def test_capabilities_are_those_of_the_pool() -> None:
    """Threads survive no loss, one worker runs nothing in parallel, an unknown class promises little."""

    class Own(concurrent.futures.Executor):
        pass

    assert FuturesExecutor().capabilities == {"parallel"}
    assert FuturesExecutor(max_workers=1).capabilities == set()
    assert FuturesExecutor(Own).capabilities == {"parallel"}
    for pool in POOLS_OF_PROCESSES:
        assert FuturesExecutor(pool).capabilities == {"parallel", "survives_worker_loss"}


@pytest.mark.parametrize("pool", [*POOLS_OF_PROCESSES, "concurrent.futures.ThreadPoolExecutor"])
def test_slots_are_the_workers_of_the_pool(pool: str) -> None:
    """As given, and as the pool tells where nothing is given."""
    assert FuturesExecutor(pool, max_workers=3).slots == 3
    with FuturesExecutor(pool).start() as executor:
        assert executor.slots >= 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pool": "ThreadPoolExecutor"}, "no dotted path"),
        ({"pool": "no_such_package.Pool"}, "pip install no_such_package"),
        ({"pool": "concurrent.futures.ProcessPool"}, "has no 'ProcessPool'"),
        ({"pool": "builtins.dict"}, "derives from concurrent.futures.Executor"),
        ({"max_wokers": 3}, "Did you mean 'max_workers'"),
        ({"max_workers": 0}, "at least 1, not 0"),
        ({"max_workers": True}, "at least 1, not True"),
    ],
)
def test_wrong_options_are_refused_before_anything_starts(options: dict[str, Any], said: str) -> None:
    """The error says what is wrong, in the constructor."""
    with pytest.raises(OptionError, match=said):
        FuturesExecutor(**options)


def test_options_come_from_configuration_as_from_code() -> None:
    """By name with options, and pickled and read again, it is the same executor."""
    executor = get_executor({"use": "futures", "pool": PROCESSES, "max_workers": 2, "mp_context": "spawn"})
    assert isinstance(executor, FuturesExecutor)
    assert executor.pool_kwargs == {"max_workers": 2, "mp_context": "spawn"}
    again = pickle.loads(pickle.dumps(executor))
    with again.start():
        assert again.submit(abs, -1).result(timeout=60) == 1


def test_the_command_line_sets_its_options(tmp_path: Path) -> None:
    """`-o pool=…` and `-o max_workers=…` reach the pool: the task runs in another process."""
    flow = tmp_path / "where.py"
    flow.write_text(
        "import multiprocessing\nfrom turgo import flow, task\n"
        "@task\ndef away(): assert multiprocessing.parent_process() is not None\n"
        "@flow\ndef where(): return away()\n"
    )
    options = ["-o", f"pool={PROCESSES}", "-o", "max_workers=2"]
    command = [sys.executable, "-m", "turgo", "run", str(flow), "--executor", "futures", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_certificate_that_is_shipped_counts() -> None:
    """`turgo executors list` shows what it proves, so it is of this version, and of all that is declared."""
    command = [sys.executable, "-m", "turgo", "executors", "list", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    (listed,) = [each for each in json.loads(done.stdout)["executors"] if each["name"] == "futures"]
    assert listed["certificate"]["problem"] is None
    assert listed["certificate"]["proven"] == listed["capabilities"] == ["parallel"]


def test_the_plugin_module_is_light() -> None:
    """Asking the plugin for its spec imports no executor and no pool."""
    code = (
        "import sys, turgo_futures.plugin as plugin\n"
        "(spec,) = plugin.turgo_executors()\n"
        "assert spec.name == 'futures'\n"
        "assert 'turgo_futures.executor' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
