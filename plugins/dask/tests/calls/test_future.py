"""The future of a call keeps the rules of `concurrent.futures`, also when its worker is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from turgo import TaskState, flow, task
from turgo.errors import WorkerLostError
from turgo.futures import Future
from turgo_dask import DaskExecutor


@task
def deadly(folder: str, number: int) -> int:
    """Kills its worker, the first time that number 3 is run."""
    mark = Path(folder, "killed")
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@task(crash_retries=0)
def always_deadly() -> None:
    """Kills its worker."""
    os.kill(os.getpid(), signal.SIGKILL)


@task(crash_retries=0)
def greedy() -> int:
    """Takes more memory than its worker may have, and keeps it until its nanny acts."""
    held = []
    for _ in range(600):
        held.append(bytearray(os.urandom(1 << 20)) * 4)
        time.sleep(0.02)
    return len(held)


@flow
def survives(folder: str) -> Any:
    """Ten calls, of which one kills its worker once."""
    return deadly.map([folder] * 10, range(10))


@flow
def crashes() -> Any:
    """One that always does."""
    return always_deadly()


@flow
def eats() -> Any:
    """One that takes too much memory."""
    return greedy()


def test_futures_keep_the_protocol(cluster: DaskExecutor) -> None:
    """They have what the contract asks of a future, and say True once they are done."""
    future = cluster.submit(abs, -1)
    assert isinstance(future, Future)
    assert future.result(timeout=30) == 1
    assert future.exception() is None
    assert future.done()
    assert not future.cancel()


def test_errors_carry_the_traceback_of_the_worker(cluster: DaskExecutor) -> None:
    """The frame of the function is in it."""

    def broken() -> None:
        raise LookupError("not there")

    future = cluster.submit(broken)
    with pytest.raises(LookupError, match="not there") as caught:
        future.result()
    assert "broken" in {entry.name for entry in caught.traceback}
    with pytest.raises(LookupError):
        cluster.wait({"nested": [cluster.submit(abs, -1), future]})


def test_callbacks_run_once_and_at_once_for_what_is_done(cluster: DaskExecutor) -> None:
    """A callback added late runs before `add_done_callback` returns; an early one when the call is done."""
    called: list[Any] = []
    happened = threading.Event()
    future = cluster.submit(time.sleep, 0.1)
    future.add_done_callback(lambda done: (called.append(done), happened.set()))
    assert happened.wait(30)
    future.add_done_callback(called.append)
    assert called == [future, future]


def test_a_callback_that_never_blocks_is_called_in_the_clients_event_loop(cluster: DaskExecutor) -> None:
    """Any other one has a thread of the executor's, as it may wait for what that loop has to do."""
    threads: dict[str, threading.Thread] = {}
    happened = threading.Event()

    class Noting:
        """Notes its thread."""

        never_blocks = True

        def __call__(self, future: Future[None]) -> None:
            threads["never blocks"] = threading.current_thread()

    def any_other(future: Future[None]) -> None:
        threads["any other"] = threading.current_thread()
        happened.set()

    future = cluster.submit(time.sleep, 0.2)
    future.add_done_callback(Noting())
    future.add_done_callback(any_other)
    assert happened.wait(60)
    assert "turgo-dask-callbacks" in threads["any other"].name
    assert "turgo-dask-callbacks" not in threads["never blocks"].name


def test_a_dead_worker_is_worker_lost_and_the_cluster_goes_on(small: DaskExecutor) -> None:
    """By `result`, `exception` and `wait` alike; nothing is tried again behind the engine's back."""
    with small.start() as executor:
        future = executor.submit(os._exit, 3)
        assert isinstance(future.exception(timeout=30), WorkerLostError)
        with pytest.raises(WorkerLostError):
            future.result()
        with pytest.raises(WorkerLostError):
            executor.wait([future])
        assert executor.submit(abs, -1).result(timeout=30) == 1


def test_a_worker_that_is_killed_costs_the_run_nothing(cluster: DaskExecutor, tmp_path: Path) -> None:
    """The run goes on, every result is right, and it did lose a worker."""
    run = survives.run(str(tmp_path), executor=cluster)
    assert run.ok
    assert run.result == list(range(10))
    assert (tmp_path / "killed").exists()


def test_a_task_that_kills_is_crashed_and_names_the_worker(cluster: DaskExecutor) -> None:
    """With the reason, and the address of the worker."""
    run = crashes.run(executor=cluster)
    (task_run,) = run.task_runs
    assert task_run.state is TaskState.CRASHED
    assert isinstance(task_run.error, WorkerLostError)
    assert "tcp://127.0.0.1" in str(task_run.error)


def test_a_nanny_that_ends_its_worker_for_memory_is_a_crash() -> None:
    """The task is Crashed; the run ends."""
    options = {"n_workers": 1, "threads_per_worker": 1, "memory_limit": "350MB"}
    run = eats.run(executor=DaskExecutor(cluster_kwargs=options, debug=False))
    (task_run,) = run.task_runs
    assert task_run.state is TaskState.CRASHED
    assert "its nanny ended it, as it had" in str(task_run.error)
