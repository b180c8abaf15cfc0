"""Calls that take too long are killed with their worker, at no cost for other calls."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turgo import TaskState, flow, task
from turgo.errors import TaskTimeoutError
from turgo_dask import DaskExecutor
from turgo_dask.supervision.announce import send
from turgo_dask.supervision.hard_timeouts import HardTimeouts


@task(timeout=1.5)  # the others are far quicker, also on a slow machine
def hangs(folder: str, number: int, *, lock: bool = False) -> int:
    """Note the process; number 1 then waits in C, with the interpreter's lock or without."""
    Path(folder, f"pid-{number}").write_text(str(os.getpid()))
    if number == 1:
        (ctypes.PyDLL(None).sleep if lock else ctypes.CDLL(None).sleep)(1000)
    return number


@task(timeout=2.0, retries=1, retry_delay=0.1)
def hangs_once(folder: str) -> int:
    """Wait in C, but only the first time."""
    mark = Path(folder, "tried")
    if not mark.exists():
        mark.touch()
        ctypes.CDLL(None).sleep(1000)
    return os.getpid()


@task
def noted(folder: str, number: int) -> int:
    """Add a line to a file for each time that it runs to its end."""
    time.sleep(0.01)
    with Path(folder, "ran").open("a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    return number


@task
def block(folder: str, number: int) -> bytes:
    """A value that stays on its worker, and a line for each time that it is made."""
    with Path(folder, "made").open("a", encoding="utf-8") as file:
        file.write(f"{number}\n")
    return bytes([number]) * 500_000


@task
def first_of(value: bytes, after: object) -> int:
    """What a block is made of."""
    return value[0]


@flow
def beside(folder: str, lock: bool) -> Any:
    """A call that hangs, and others."""
    return [hangs.map([folder] * 3, range(3), lock=[lock] * 3), noted.map([folder] * 60, range(60))]


@flow
def again(folder: str) -> Any:
    """A call that is killed, and tried again."""
    return hangs_once(folder)


@flow
def keeping(folder: str) -> Any:
    """Blocks that are made before a worker is killed, and taken afterwards."""
    blocks = block.map([folder] * 6, range(6))
    killed = late(folder, blocks)
    return first_of.map(blocks, after=[killed] * 6)


@task(timeout=0.5)
def late(folder: str, blocks: Any) -> int:
    """Wait in C."""
    ctypes.CDLL(None).sleep(1000)
    return 0


def wait_for_both_workers(cluster: DaskExecutor) -> None:
    """Wait until the worker that was killed is replaced."""
    end = time.monotonic() + 60
    while cluster.slots < 2:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_call_that_hangs_in_c_is_killed_and_the_others_cost_nothing(
    is_gone: Callable[[int], bool], cluster: DaskExecutor, tmp_path: Path
) -> None:
    """It is TimedOut within seconds, its worker is gone, all else is right and ran once, and the worker is replaced."""
    began = time.monotonic()
    run = beside.run(str(tmp_path), False, executor=cluster)
    assert time.monotonic() - began < 60
    states = {each.label: each.state for each in run.task_runs}
    assert states.pop("hangs[1]") is TaskState.TIMED_OUT
    assert set(states.values()) == {TaskState.SUCCESS}
    assert all(len(each.attempts) == 1 for each in run.task_runs)
    ran = Counter((tmp_path / "ran").read_text().split())
    assert ran == Counter(str(number) for number in range(60))
    assert is_gone(int((tmp_path / "pid-1").read_text()))
    wait_for_both_workers(cluster)


def test_a_call_that_keeps_the_interpreters_lock_is_killed_too(
    is_gone: Callable[[int], bool], cluster: DaskExecutor, tmp_path: Path
) -> None:
    """Its worker can tell nobody anything any more; it is ended from outside."""
    run = beside.run(str(tmp_path), True, executor=cluster)
    states = Counter(each.state for each in run.task_runs)
    assert states == {TaskState.TIMED_OUT: 1, TaskState.SUCCESS: 62}
    assert is_gone(int((tmp_path / "pid-1").read_text()))


def test_a_call_that_was_killed_is_tried_again(cluster: DaskExecutor, tmp_path: Path) -> None:
    """As its policy says; the record has both attempts."""
    (task_run,) = again.run(str(tmp_path), executor=cluster).task_runs
    assert task_run.state is TaskState.SUCCESS
    first, second = task_run.attempts
    assert (type(first.error), second.error) == (TaskTimeoutError, None)


def test_values_on_a_worker_that_is_killed_are_handed_on(cluster: DaskExecutor, tmp_path: Path) -> None:
    """What was made before is not made again: the other worker, which the test before may have cost, takes it."""
    wait_for_both_workers(cluster)
    run = keeping.run(str(tmp_path), executor=cluster)
    assert {each.state for each in run.task_runs if each.name == "block"} == {TaskState.SUCCESS}
    assert Counter((tmp_path / "made").read_text().split()) == Counter(str(number) for number in range(6))


def test_what_follows_a_call_that_was_killed_fails_with_it(cluster: DaskExecutor) -> None:
    """A call that takes its value has the same error."""
    sleeping = cluster.submit(time.sleep, 1000, extra_context={"task_timeout": 0.3})
    after = cluster.submit(str, sleeping)
    for future in (sleeping, after):
        error = future.exception(timeout=60)
        assert isinstance(error, TaskTimeoutError)
        assert error.seconds == 0.3


def test_several_threads_of_one_worker_begin_anew_with_another(tmp_path: Path) -> None:
    """What ran beside the call that was killed comes to its end all the same."""
    options = {"n_workers": 1, "threads_per_worker": 2}
    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        beside_it = executor.submit(time.sleep, 2)
        future = executor.submit(time.sleep, 1000, extra_context={"task_timeout": 0.5})
        assert isinstance(future.exception(timeout=60), TaskTimeoutError)
        assert beside_it.exception(timeout=60) is None


def test_a_call_that_was_over_in_time_is_not_killed_by_a_driver_that_hears_of_it_late() -> None:
    """All that was said while the driver did not come to listen is heard before anything is killed for its time."""
    looked: list[str] = []

    def processes() -> set[int]:
        looked.append("for whom to kill")
        return set()

    hard_timeouts = HardTimeouts(
        client=None, processes=processes, report=lambda *_: None, kill=lambda _: None
    )
    begins = {"seconds": 0.0, "pid": 1, "worker": "tcp://127.0.0.1:1"}
    for key in ("first", "second"):
        send(hard_timeouts.receiver, {"key": key, **begins})
    for key in ("second", "first"):
        send(hard_timeouts.receiver, {"key": key, "over": True})
    hard_timeouts.start()
    try:
        time.sleep(0.3)  # nothing tells of what is not killed
        assert not looked
        send(hard_timeouts.receiver, {"key": "third", **begins})
        end = time.monotonic() + 20
        while not looked:
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        hard_timeouts.stop()


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"5",
        b"[1]",
        b"null",
        b"\xff",
        b"{}",
        b'{"secret": 1, "key": "a"}',
        b'{"secret": "\xc3\xa9"}',
        b"[" * 60_000,
    ],
)
def test_a_datagram_of_somebody_else_is_ignored(datagram: bytes) -> None:
    """Any local user may send to the port: the thread that kills late calls goes on to listen."""
    looked = threading.Event()

    def processes() -> set[int]:
        looked.set()
        return set()

    hard_timeouts = HardTimeouts(
        client=None, processes=processes, report=lambda *_: None, kill=lambda _: None
    )
    hard_timeouts.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(datagram, ("127.0.0.1", hard_timeouts.receiver.port))
        message = {"key": "late", "seconds": 0.0, "pid": 1, "worker": "tcp://127.0.0.1:1"}
        send(hard_timeouts.receiver, message)
        assert looked.wait(20)
    finally:
        hard_timeouts.stop()


@pytest.mark.parametrize(
    "message",
    [
        {"key": ["a"], "over": True},
        {"key": "a"},
        {"key": "a", "seconds": "1", "pid": 1, "worker": "w"},
        {"key": "a", "seconds": float("nan"), "pid": 1, "worker": "w"},
        {"key": "a", "seconds": 1.0, "pid": "1", "worker": "w"},
    ],
)
def test_a_datagram_that_says_something_else_is_passed_over(message: dict[str, object]) -> None:
    """Although it has the secret: the thread goes on to listen."""
    hard_timeouts = HardTimeouts(client=None, processes=set, report=lambda *_: None, kill=lambda _: None)
    send(hard_timeouts.receiver, message)
    assert hard_timeouts._receive(30.0)
    assert not hard_timeouts._ends
    hard_timeouts._listener.close()
