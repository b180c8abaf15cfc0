"""What is lost, and what is left behind: workers, the scheduler, clusters that stay."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import distributed
import pytest

from penstock import RunState, TaskState, flow, task
from penstock.errors import ExecutorError, RunTimeoutError, WorkerLostError
from penstock_dask import DaskExecutor, leaving, watching


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


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a scheduler that runs in a process of its own, with a worker, and that process."""
    with _cluster(tmp_path) as (address, scheduler):
        yield address, scheduler


class _cluster:  # noqa: N801  (a context manager)
    """A scheduler and a worker, started as from a shell."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, ExitStack()

    def __enter__(self) -> tuple[str, subprocess.Popen[bytes]]:
        import json

        file = self.folder / "scheduler.json"
        scheduler = self.start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0", file=file
        )
        self.start("worker", "--no-nanny", "--nthreads", "2", "--no-dashboard", file=file)
        end = time.monotonic() + 30
        while not file.exists() or not file.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        return json.loads(file.read_text())["address"], scheduler

    def start(self, kind: str, *options: str, file: Path) -> subprocess.Popen[bytes]:
        """One more process of it."""
        command = [
            sys.executable,
            "-m",
            f"distributed.cli.dask_{kind}",
            "--scheduler-file",
            str(file),
            *options,
        ]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=self.folder)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def __exit__(self, *error: object) -> None:
        self.stack.close()


def test_a_worker_that_is_killed_costs_the_run_nothing(cluster: DaskExecutor, tmp_path: Path) -> None:
    """The run goes on, every result is right, and the one that killed it says so in its attempts."""
    run = survives.run(str(tmp_path), executor=cluster)
    assert run.ok
    assert run.result == list(range(10))


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


def test_a_worker_that_closes_as_its_time_is_up_loses_nothing(tmp_path: Path) -> None:
    """As under a queue's walltime: `--lifetime` closes a worker in good order, and the others go on."""
    cluster = _cluster(tmp_path)
    with cluster as (address, _), DaskExecutor(address=address, debug=False).start() as executor:
        file = tmp_path / "scheduler.json"
        cluster.start("worker", "--no-nanny", "--no-dashboard", "--lifetime", "1.5s", file=file)
        cluster.start("worker", "--no-nanny", "--no-dashboard", "--lifetime", "2.5s", file=file)
        run = sleeps.run(0.1, 120, executor=executor)
        assert run.ok, [each.error for each in run.task_runs if each.error][:1]
        assert all(len(each.attempts) < 3 for each in run.task_runs)


def test_a_scheduler_that_is_killed_ends_the_run(foreign: tuple[str, subprocess.Popen[bytes]]) -> None:
    """With an error that names it, within seconds."""
    address, scheduler = foreign
    with DaskExecutor(address=address, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        threading_timer(1.0, scheduler.kill)
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="is gone"):
            sleeps.run(0.3, 1000, executor=executor)
        assert time.monotonic() - began < 20


def test_a_scheduler_that_falls_silent_ends_the_run(
    foreign: tuple[str, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is open, but nobody answers: after `scheduler_timeout` it counts as gone."""
    monkeypatch.setattr(watching, "INTERVAL", 0.3)
    address, scheduler = foreign
    with DaskExecutor(address=address, scheduler_timeout=2, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        threading_timer(0.5, lambda: scheduler.send_signal(signal.SIGSTOP))
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="is gone"):
            sleeps.run(0.3, 1000, executor=executor)
        assert time.monotonic() - began < 30


def threading_timer(seconds: float, act: Any) -> None:
    """Act after a while."""
    import threading

    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


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
            time.sleep(0.5)
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


def _stubborn(number: int) -> None:
    """Run for a minute, whatever is raised in it once or twice."""
    caught = 0
    end = time.monotonic() + 60
    while time.monotonic() < end and caught < 2:
        try:
            time.sleep(0.01)
        except Exception:  # noqa: BLE001  (as tasks do)
            caught += 1
