"""What holds for every test here: no settings of the user's, and nothing left running after it.

Beside it, for those that want an executor which is no plugin's: the one that the docstring of the contract shows.
"""

import multiprocessing
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from turgo import executor as contract
from turgo.testing.checks import Checks

GRACE = 5.0  # seconds that a thread or child has to end after its test


def running() -> set[object]:
    """The threads that would keep the interpreter alive, and the child processes."""
    threads = {thread for thread in threading.enumerate() if not thread.daemon}
    return threads | set(multiprocessing.active_children())


def left_since(before: set[object]) -> set[object]:
    """What runs now and did not before. A child in the place of one of its name is not left: pools replace theirs."""
    now = running()
    gone = Counter(each.name for each in before - now if isinstance(each, BaseProcess))
    left = set()
    for each in now - before:
        if isinstance(each, BaseProcess) and gone[each.name]:
            gone[each.name] -= 1
        else:
            left.add(each)
    return left


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders that are not there yet, one for each test: pytest would look through those of all tests before."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def no_settings_of_the_user(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide TURGO_* variables, the user's configuration file, cache and journals; return where that file would be."""
    for name in [name for name in os.environ if name.startswith("TURGO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", "")  # what loads a flow file adds its folder
    home = next(homes)
    home.mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    return home


@pytest.fixture(autouse=True)
def modules_as_before(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Forget the flow files of the test, and the folders that they are imported from."""
    folders, before = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = folders
    made = str(tmp_path_factory.getbasetemp())
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(made):
            del sys.modules[name]


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test that leaves a thread or a child process behind.

    The checks of the conformance suite share a started executor; the suite itself looks for what is left.
    """
    if isinstance(request.cls, type) and issubclass(request.cls, Checks):
        yield
        return
    before = running()
    yield
    end = time.monotonic() + GRACE
    while (left := left_since(before)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left, f"still running {GRACE} s after the test: {left}"


@pytest.fixture(scope="session")
def threads_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executor that the docstring of the contract shows, in a file of its own: its class is ThreadsExecutor."""
    text = contract.__doc__.split("threads.py:ThreadsExecutor`::\n\n", 1)[1].split("\n`submit` is", 1)[0]
    file = tmp_path_factory.mktemp("file") / "threads.py"
    file.write_text("\n".join(line.removeprefix("    ") for line in text.splitlines()))
    return file


@pytest.fixture
def edit() -> Callable[[Path, str], None]:
    """Writes a source anew, as later as people do: Python sees no change within a second that keeps the size."""

    def written(path: Path, text: str) -> None:
        later = path.stat().st_mtime + 2
        path.write_text(text)
        os.utime(path, (later, later))

    return written
