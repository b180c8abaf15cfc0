"""Workers that come and go, clusters without workers, schedulers that are lost."""

from __future__ import annotations

import logging
import logging.handlers
import re
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import distributed
import pytest

from turgo import FlowRun, TaskState, flow, task
from turgo.errors import ExecutorError, WorkerLostError
from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo_dask import DaskExecutor
from turgo_dask.supervision import watch as watching
from turgo_dask.supervision.watch import is_usable

ONE = {"n_workers": 1, "threads_per_worker": 1, "processes": False}


class Listener:
    """An observer that keeps what it hears of executors."""

    def __init__(self) -> None:
        self.events: list[ExecutorEvent] = []

    @hookimpl
    def turgo_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Keep it."""
        self.events.append(event)


@task
def rest(seconds: float) -> float:
    """Wait, and log it."""
    logging.getLogger("there").warning("resting")
    time.sleep(seconds)
    return seconds


@flow
def resting(seconds: float, count: int) -> Any:
    """So many rests."""
    return rest.map([seconds] * count)


@flow
def rests(seconds: float, count: int) -> Any:
    """So many of them."""
    return rest.map([seconds] * count)


def after(seconds: float, act: Callable[..., object], *args: object) -> None:
    """Act after a while, in a thread that does not outlive the test, which waits for what this does."""
    threading.Timer(seconds, act, args).start()


@pytest.mark.usefixtures("impatient")
def test_workers_that_come_and_go_are_events() -> None:
    """An observer hears of them, and nothing is lost when one is taken away in good order."""
    listener = Listener()
    with (
        distributed.LocalCluster(**ONE, dashboard_address="127.0.0.1:0") as cluster,
        DaskExecutor(cluster_class=cluster, debug=False).start() as executor,
    ):

        def rest_until(kind: str) -> None:
            """Run flows until there was such an event: how long it takes is the cluster's affair."""
            end = time.monotonic() + 60
            while kind not in [event.kind for event in listener.events]:
                assert time.monotonic() < end
                run = resting.run(0.1, 30, executor=executor, observers=[listener])
                assert run.ok, run.task_runs[0].error

        cluster.scale(2)
        rest_until("worker_arrived")
        cluster.scale(1)
        rest_until("worker_left")
    assert all(re.match(r"inproc://|tcp://", event.worker or "tcp://") for event in listener.events)


def test_scaling_in_loses_nothing() -> None:
    """Workers are retired again and again while calls run and results lie on them: no failure, no second attempt."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
    executor = DaskExecutor(
        cluster_kwargs=options,
        adapt_kwargs={
            "minimum": 1,
            "maximum": 3,
            "interval": "50ms",
            "wait_count": 1,
            "target_duration": "100ms",
        },
        debug=False,
    )
    with executor.start():
        for _ in range(3):
            run = resting.run(0.02, 40, executor=executor)
            assert run.ok, run.task_runs[0].error
            assert {each.state for each in run.task_runs} == {TaskState.SUCCESS}
            assert all(len(each.attempts) == 1 for each in run.task_runs)
            kept = executor.map(bytes, [1000] * 20)
            time.sleep(0.3)
            assert executor.wait(kept) == [bytes(1000)] * 20


def test_a_cluster_that_loses_its_last_worker_ends_the_run(
    foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls wait for another worker for as long as the options say, and it is told of before."""
    monkeypatch.setattr(watching, "LOOK_INTERVAL_SECONDS", 0.2)
    monkeypatch.setattr(watching, "UNMET_REPORT_SECONDS", 0.5)
    options: dict[str, Any] = {"start_timeout": 2, "resources_timeout": 1.5, "debug": False}
    with DaskExecutor(address=foreign.address, **options).start() as executor:
        executor.submit(abs, -1).result()
        foreign.worker.kill()
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="no worker has been there for"):
            rests.run(0.01, 500, executor=executor)
        assert 2 <= time.monotonic() - began < 60
        assert any("there is no worker" in event.message for event in executor.events())


def test_a_worker_that_comes_in_time_takes_what_waited(foreign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the run goes on."""
    monkeypatch.setattr(watching, "LOOK_INTERVAL_SECONDS", 0.2)
    with DaskExecutor(address=foreign.address, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        foreign.worker.kill()
        foreign.worker.wait()
        foreign.start_worker("--nthreads", "2")
        assert rests.run(0.01, 500, executor=executor).ok


def test_a_worker_that_closes_as_its_time_is_up_loses_nothing(foreign: Any) -> None:
    """As under a queue's walltime: `--lifetime` closes a worker in good order, and the others go on."""
    with DaskExecutor(address=foreign.address, debug=False).start() as executor:
        foreign.start_worker("--lifetime", "1.5s")
        foreign.start_worker("--lifetime", "2.5s")
        run = rests.run(0.1, 120, executor=executor)
        assert run.ok, [each.error for each in run.task_runs if each.error][:1]
        assert all(len(each.attempts) < 3 for each in run.task_runs)


def test_a_scheduler_that_is_killed_ends_the_run(foreign: Any, said: list[str]) -> None:
    """With an error that names it, within seconds, and with no traceback of distributed's beside it."""
    with DaskExecutor(address=foreign.address, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        after(1.0, foreign.scheduler.kill)
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="is gone"):
            rests.run(0.3, 1000, executor=executor)
        assert time.monotonic() - began < 60  # the calls take minutes


def test_a_scheduler_that_falls_silent_ends_the_run(foreign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is open, but nobody answers: after `scheduler_timeout` it counts as gone."""
    monkeypatch.setattr(watching, "LOOK_INTERVAL_SECONDS", 0.3)
    with DaskExecutor(address=foreign.address, scheduler_timeout=5, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        after(0.5, foreign.scheduler.send_signal, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="is gone"):
            rests.run(0.3, 1000, executor=executor)
        assert time.monotonic() - began < 60


def test_values_are_not_waited_for_when_the_scheduler_falls_silent(
    foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would answer, so the wait for a call that was done ends as well."""
    monkeypatch.setattr(watching, "LOOK_INTERVAL_SECONDS", 0.3)
    with DaskExecutor(address=foreign.address, scheduler_timeout=2, debug=False).start() as executor:
        future = executor.submit(abs, -1)
        assert future.result() == 1
        foreign.scheduler.send_signal(signal.SIGSTOP)
        with pytest.raises(ExecutorError, match="is gone"):
            executor.wait([future])


@pytest.mark.usefixtures("impatient")
def test_a_cluster_whose_workers_are_paused_has_none() -> None:
    """Calls wait, which is told, and the run ends as without any worker; one that resumes takes what waits."""
    options: dict[str, Any] = {
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": logging.CRITICAL,
        "memory_limit": 0,
    }
    with distributed.LocalCluster(**{**ONE, **options}) as cluster:
        (worker,) = cluster.workers.values()
        with DaskExecutor(
            cluster_class=cluster, start_timeout=2, resources_timeout=2, debug=False
        ).start() as executor:
            executor.submit(abs, -1).result()
            cluster.sync(set_status, worker, distributed.Status.paused)
            with pytest.raises(WorkerLostError, match="no worker has been there"):
                executor.submit(abs, -2).result(timeout=60)
            assert any("paused or closing" in event.message for event in executor.events())
            assert executor.hindrance() == "of 1 workers none begins any call: they are paused or closing"
            cluster.sync(set_status, worker, distributed.Status.running)
            end = time.monotonic() + 60
            while executor._session.watch.abandoned is not None:
                assert time.monotonic() < end
                time.sleep(0.05)
            assert executor.submit(abs, -3).result(timeout=60) == 3
            assert executor.hindrance() is None


async def set_status(worker: distributed.Worker, status: distributed.Status) -> None:
    """In its event loop."""
    worker.status = status


def test_a_paused_worker_that_runs_a_call_is_there() -> None:
    """Its call may take as long as it wants."""
    assert is_usable({"status": "running"})
    assert not is_usable({"status": "paused"})
    assert not is_usable({"status": "closing_gracefully", "metrics": {"task_counts": {"executing": 0}}})
    assert is_usable({"status": "paused", "metrics": {"task_counts": {"executing": 1}}})
