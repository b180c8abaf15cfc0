"""Calls that take too long are killed with their worker, and cost the other calls nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import distributed
import pytest

from penstock import TaskState, flow, task
from penstock.errors import TaskTimeoutError
from penstock_dask import DaskExecutor, temporary
from penstock_dask.announcing import tell
from penstock_dask.cluster import worker_processes
from penstock_dask.overtime import Overtime


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


def is_gone(pid: int) -> bool:
    """Whether there is no such process any more, or none within seconds: a call is over before its worker is."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def wait_for_both_workers(cluster: DaskExecutor) -> None:
    """Wait until the worker that was killed is replaced."""
    end = time.monotonic() + 60
    while cluster.slots < 2:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_call_that_hangs_in_c_is_killed_and_the_others_cost_nothing(
    cluster: DaskExecutor, tmp_path: Path
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


def test_a_call_that_keeps_the_interpreters_lock_is_killed_too(cluster: DaskExecutor, tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("options", "hard"),
    [
        ({}, True),
        ({"cluster_kwargs": {"n_workers": 1, "threads_per_worker": 2}}, True),
        ({"cluster_kwargs": {"processes": False}}, False),
        ({"cluster_kwargs": {"worker_class": distributed.Worker}}, False),
        ({"cluster_class": "distributed.SSHCluster"}, False),
        ({"address": "tcp://127.0.0.1:1"}, False),
    ],
)
def test_hard_timeouts_are_declared_where_they_are_true(options: dict[str, Any], hard: bool) -> None:
    """On a cluster of our own on this machine, with processes and nannies, and nowhere else."""
    assert ("hard_timeouts" in DaskExecutor(**options).capabilities) is hard


def test_a_call_that_was_over_in_time_is_not_killed_by_a_driver_that_hears_of_it_late() -> None:
    """All that was said while the driver did not come to listen is heard before anything is killed for its time."""
    looked: list[str] = []

    def processes() -> set[int]:
        looked.append("for whom to kill")
        return set()

    overtime = Overtime(client=None, processes=processes, tell=lambda *_: None)
    begins = {"seconds": 0.0, "pid": 1, "worker": "tcp://127.0.0.1:1"}
    for key in ("first", "second"):
        tell(overtime.ear, {"key": key, **begins})
    for key in ("second", "first"):
        tell(overtime.ear, {"key": key, "over": True})
    overtime.start()
    try:
        time.sleep(0.3)  # nothing tells of what is not killed
        assert not looked
        tell(overtime.ear, {"key": "third", **begins})
        end = time.monotonic() + 20
        while not looked:
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        overtime.stop()


def test_leaving_just_after_a_worker_was_lost_is_quick(
    small: DaskExecutor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A nanny that is starting another one, which takes a minute here, is not waited for, and nothing of it stays."""
    monkeypatch.setattr(temporary, "CLOSE_SECONDS", 60.0)
    (tmp_path / "sitecustomize.py").write_text("import time\ntime.sleep(60)\n")
    with small.start():
        (pid, other) = worker_processes(small._session.cluster)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
        os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + 20
        while not (processes := worker_processes(small._session.cluster)) - {pid, other}:
            assert time.monotonic() < end
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 30
    assert all(is_gone(each) for each in processes | {other})
