"""What the tests of this folder share: the executors that they run on, and environments that are made anew."""

import subprocess
import sysconfig
import time
import venv
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import pytest

from turgo import Executor, get_executor

ENGINES: dict[str, tuple[str, dict[str, Any]]] = {
    "local": ("local", {}),
    "threads": ("local_dask", {"scheduler": "threads", "num_workers": 2}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 2}),
    "synchronous": ("local_dask", {"scheduler": "synchronous"}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}}),
    "dask in threads": ("dask", {"cluster_kwargs": {"n_workers": 1, "processes": False}}),
    "file": ("{threads_file}:ThreadsExecutor", {"workers": 2}),
    "inline": (f"{Path(__file__).parents[1]}/core/inline_executor.py:InlineExecutor", {}),
    "four threads": ("local_dask", {"scheduler": "threads", "num_workers": 4}),
    "four processes": ("local_dask", {"scheduler": "processes", "num_workers": 4}),
    "dask, two by two": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 2}}),
}
"""The executors, by the names that the tests give them. `file` is the one that the docstring of the contract shows."""

EVERYWHERE = ("local", "threads", "processes", "synchronous", "dask", "file")
"""Where a test runs that asks for an executor, unless its module says otherwise in `ENGINES`."""


class Engine(NamedTuple):
    """A started executor, and its name among ENGINES."""

    name: str
    executor: Executor


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make each test that asks for an executor once for each of those that its module wants.

    `make test` runs it on the first of them, which is `local` where that is among them, and on one other: another one
    for each test. The rest has the mark `matrix`.
    """
    if "engine_name" in metafunc.fixturenames:
        names = tuple(getattr(metafunc.module, "ENGINES", EVERYWHERE))
        others, test = names[1:], f"{metafunc.module.__name__}.{metafunc.function.__name__}"
        sample = names[:1] + others[(at := crc32(test.encode()) % max(1, len(others))) : at + 1]
        params = [pytest.param(name, marks=marks_of(name, name not in sample)) for name in names]
        metafunc.parametrize("engine_name", params, indirect=True)


def marks_of(name: str, rest: bool) -> list[pytest.MarkDecorator]:
    """The marks of a test on an executor; rest: `make test` leaves it out."""
    return [pytest.mark.cluster] * ("dask" in name) + [pytest.mark.matrix] * rest


@pytest.fixture(scope="module")
def engine_name(request: pytest.FixtureRequest) -> str:
    """The name of the executor among ENGINES."""
    return request.param


@pytest.fixture
def engine_settings(engine_name: str) -> tuple[str, dict[str, Any]]:
    """What is given to `get_executor`, for a program that the test writes."""
    return ENGINES[engine_name]


def opened(name: str, threads_file: Path) -> AbstractContextManager[Executor]:
    """One of ENGINES, to be entered."""
    where, options = ENGINES[name]
    return get_executor(where.format(threads_file=threads_file), **options).start()


def warm(executor: Executor) -> Executor:
    """The same executor; threads and processes that it makes when they are needed are there from now on."""
    executor.wait(executor.map(time.sleep, [0.05] * 2 * executor.slots))
    return executor


@pytest.fixture(scope="module")
def engine(engine_name: str, threads_file: Path) -> Iterator[Engine]:
    """The executor, started for all tests of the module, with its name."""
    with opened(engine_name, threads_file) as executor:
        yield Engine(engine_name, warm(executor))


@pytest.fixture
def executor(engine: Engine) -> Executor:
    """The executor, started for all tests of the module."""
    return engine.executor


@pytest.fixture
def own_executor(engine_name: str, threads_file: Path) -> Iterator[Executor]:
    """The executor, started for this test alone: for those that leave it with calls that go on."""
    with opened(engine_name, threads_file) as executor:
        yield warm(executor)


class Environment:
    """A virtual environment in a folder of its own, which is where its commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        inner = sysconfig.get_path("purelib", vars={"base": str(folder / "venv")})
        outer = sysconfig.get_path("purelib")
        Path(inner, "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n", encoding="utf-8")
        for command in entry_points(group="console_scripts"):
            self._write_command(command)

    def _write_command(self, command: EntryPoint) -> None:
        """A command of what is installed beside the tests, run by the Python of this environment."""
        script = self.python.with_name(command.name)
        module, _, function = command.value.partition(":")
        script.write_text(
            f"#!{self.python}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        script.chmod(0o755)

    def run(self, *arguments: str, folder: str = ".") -> str:
        """Standard output of `python -m …`, which is to end with 0."""
        done = subprocess.run(
            [str(self.python), "-m", *arguments],
            cwd=self.folder / folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, *arguments: str) -> None:
        """`pip install` from what is here, and from nowhere else."""
        apart = ("--no-index", "--no-deps", "--no-build-isolation")
        self.run("pip", "--disable-pip-version-check", "install", "--quiet", *apart, *arguments)


@pytest.fixture(scope="session")
def new_environment() -> type[Environment]:
    """Makes a virtual environment in a folder, in which all is to be had that is installed beside the tests."""
    return Environment
