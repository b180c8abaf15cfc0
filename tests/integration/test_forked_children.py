"""A task forks, and its child comes back: by a value, an error or an exit, soon or late. It is no answer."""

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from turgo import Executor, flow, task

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

PATIENCE_SECONDS = 60.0

WAYS = ("returns", "raises", "exits", "returns late", "is deep")


def below(depth: int) -> int:
    """Fork in the middle of a recursion."""
    return below(depth - 1) if depth else os.fork()


@task
def forks(way: str, folder: str) -> str:
    """What the parent gives is the value of the call; the child leaves its process id behind."""
    if (below(20) if way == "is deep" else os.fork()) == 0:
        Path(folder, str(os.getpid())).touch()
        time.sleep(1.0 if way == "returns late" else 0.1)
        if way == "raises":
            raise ValueError("in the child")
        if way == "exits":
            sys.exit(0)
        return "the child's"
    return "the parent's"


@task
def plain(number: int, after: object) -> int:
    """A call that follows, on the same worker as like as not."""
    time.sleep(0.1)
    return number


@flow
def forked(way: str, folder: str):
    """One call that forks, and others while its child lives."""
    first = forks(way, folder)
    return first, [plain(number, first) for number in range(6)]


def lives(pid: int) -> bool:
    """Whether it is more than an entry in a table."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("way", WAYS)
def test_a_child_that_comes_back_is_ended_and_no_answer(executor: Executor, way: str, tmp_path: Path) -> None:
    """Each value is its own call's, the run ends once, and the child is gone."""
    driver = os.getpid()
    run = forked.run(way, str(tmp_path), executor=executor)
    if os.getpid() != driver:
        os._exit(1)  # it would go on with the tests
    assert run.result == ("the parent's", list(range(6)))
    end = time.monotonic() + PATIENCE_SECONDS
    while not (pids := [int(path.name) for path in tmp_path.iterdir()]) or any(map(lives, pids)):
        assert time.monotonic() < end, pids
        time.sleep(0.02)
