"""Workers that are lost, and what is left behind on clusters that stay."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import distributed
import pytest

from penstock import RunState, TaskState, flow, task
from penstock.errors import RunTimeoutError, WorkerLostError
from penstock.hooks import hookimpl
from penstock.records import FlowRun
from penstock_dask import DaskExecutor, leaving


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


@task
def slow(seconds: float) -> float:
    """Sleep in small steps."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
    return seconds


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


@flow
def sleeps(seconds: float, count: int) -> Any:
    """So many sleeps."""
    return slow.map([seconds] * count)


@flow(timeout=1.0)
def hurries() -> Any:
    """Calls that take longer than the run may."""
    return slow.map([30.0] * 4)


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


def test_nothing_of_a_run_remains_on_a_shared_cluster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After success, failure and leaving early: no key, no client, no plugin, no call that runs."""
    monkeypatch.setattr(leaving, "RUNNING_PATIENCE", 20.0)
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as theirs:
        plugins = set(theirs.scheduler.plugins)
        workers = [set(worker.plugins) for worker in theirs.workers.values()]
        executor = DaskExecutor(address=theirs.scheduler_address, debug=False)
        assert sleeps.run(0.0, 50, executor=executor).state is RunState.SUCCESS
        with executor.start():
            running = executor.map(_stubborn, range(2))
            waiting = [executor.submit((tmp_path / str(number)).touch) for number in range(5)]
            end = time.monotonic() + 20
            while sum(len(worker.active_threads) for worker in theirs.workers.values()) < 2:
                assert time.monotonic() < end
                time.sleep(0.01)
        assert all(future.done() for future in [*running, *waiting])
        assert not list(tmp_path.iterdir()), "a call that waited began"
        for worker in theirs.workers.values():
            assert not worker.active_threads
            assert not worker.state.tasks
        assert not theirs.scheduler.tasks
        assert {name for name in theirs.scheduler.clients if not name.startswith("fire")} == set()
        assert set(theirs.scheduler.plugins) == plugins
        assert [set(worker.plugins) for worker in theirs.workers.values()] == workers


def test_a_run_that_is_cut_short_stops_its_calls_on_a_shared_cluster() -> None:
    """Those that run, too: when the run is over, no worker has one."""
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as theirs:
        (worker,) = theirs.workers.values()
        executor = DaskExecutor(address=theirs.scheduler_address, debug=False)
        run = hurries.run(executor=executor)
        assert isinstance(run.error, RunTimeoutError)
        assert [each.state for each in run.task_runs] == [TaskState.CANCELLED] * 4
        assert not worker.active_threads
        assert not theirs.scheduler.tasks


@task
def large(folder: str, number: int) -> bytes:
    """A value that stays on its worker; quick at first, so that many calls travel together, and then slow."""
    Path(folder, str(number)).touch()
    if number == 60:
        Path(folder, "slow").touch()
    end = time.monotonic() + (10.0 if number >= 60 else 0.0)
    while time.monotonic() < end:
        time.sleep(0.01)
    return bytes(1 << 20)


class _Cancels:
    """An observer that cancels the run once a file is there; begun: how many calls had begun by then."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.begun = folder, 0

    @hookimpl
    def penstock_flow_started(self, run: FlowRun) -> None:
        threading.Thread(target=self.wait, args=[run], daemon=True).start()

    def wait(self, run: FlowRun) -> None:
        end = time.monotonic() + 60
        while not (self.folder / "slow").exists() and time.monotonic() < end:
            time.sleep(0.01)
        run.cancel()
        self.begun = len(list(self.folder.iterdir()))


def test_no_call_of_a_batch_begins_after_one_that_was_interrupted_on_a_shared_cluster(tmp_path: Path) -> None:
    """A batch whose values stay does not stop by itself; the interruption ends it as a whole."""
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as theirs:
        watch = _Cancels(tmp_path)
        length = task(len, name="length")
        kept = flow(lambda: length.map(large.map([str(tmp_path)] * 200, range(200))))
        executor = DaskExecutor(address=theirs.scheduler_address, debug=False)
        run = kept.run(executor=executor, observers=[watch])
        assert run.state is RunState.CANCELLED
        time.sleep(0.5)
        assert len(list(tmp_path.iterdir())) <= watch.begun + 1, (
            "one may have begun before the word was there"
        )


def _stubborn(number: int) -> None:
    """Run for a minute, whatever is raised in it once or twice."""
    caught = 0
    end = time.monotonic() + 60
    while time.monotonic() < end and caught < 2:
        try:
            time.sleep(0.01)
        except Exception:  # noqa: BLE001  (as tasks do)
            caught += 1
