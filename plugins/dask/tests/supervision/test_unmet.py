"""Calls that no worker may run are reported, and fail in the end."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import time
from typing import Any

import pytest

from turgo import FlowRun, flow, task
from turgo.errors import RequirementError
from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo_dask import DaskExecutor

ONE = {"n_workers": 1, "threads_per_worker": 1, "processes": False}


class Listener:
    """An observer that keeps what it hears of executors."""

    def __init__(self) -> None:
        self.events: list[ExecutorEvent] = []

    @hookimpl
    def turgo_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Keep it."""
        self.events.append(event)


@task(tags=["dask-resource:GPU=1"])
def train() -> int:
    """Needs what few workers have."""
    return 1


@flow
def training() -> Any:
    """One call that asks for a resource."""
    return train()


@pytest.mark.usefixtures("impatient")
def test_what_no_worker_offers_is_told_of_and_fails() -> None:
    """First a warning that says what is asked and what there is; then the task fails, and the run ends."""
    listener, heard = Listener(), queue.SimpleQueue[logging.LogRecord]()
    handler = logging.handlers.QueueHandler(heard)
    logging.getLogger("turgo_dask").addHandler(handler)
    executor = DaskExecutor(cluster_kwargs={**ONE, "resources": {"MEM": 4}}, resources_timeout=5, debug=False)
    try:
        run = training.run(executor=executor, observers=[listener])
    finally:
        logging.getLogger("turgo_dask").removeHandler(handler)
    (task_run,) = run.task_runs
    assert isinstance(task_run.error, RequirementError)
    assert (
        "calls ask for GPU=1, which no worker offers: of 1 workers 1 offers MEM=4"
        in heard.get(timeout=1).getMessage()
    )
    assert "GPU=1" in str(task_run.error)
    assert "waiting" in [event.kind for event in listener.events]


@pytest.mark.usefixtures("impatient")
def test_calls_that_ask_for_what_others_waited_for_in_vain_do_not_wait_again() -> None:
    """A map of many fails after one deadline, not after one for each window of calls in flight."""
    executor = DaskExecutor(cluster_kwargs=ONE, resources_timeout=1.0, debug=False)
    context: Any = {"task_name": "train", "task_tags": ["dask-resource:GPU=1"]}
    with executor.start():
        first = executor.submit(abs, -1, extra_context=context)
        assert isinstance(first.exception(timeout=60), RequirementError)
        second = executor.submit(abs, -1, extra_context=context)
        assert second.done()
        assert isinstance(second.exception(), RequirementError)
        assert executor.submit(abs, -1).result() == 1


@pytest.mark.usefixtures("impatient")
def test_calls_that_wait_for_a_busy_worker_are_left_alone() -> None:
    """A resource that is in use is offered: nothing fails, however long it takes."""
    executor = DaskExecutor(
        cluster_kwargs={**ONE, "resources": {"GPU": 1}}, resources_timeout=0.6, debug=False
    )
    context: Any = {"task_name": "train", "task_tags": ["dask-resource:GPU=1"]}
    with executor.start():
        calls = [executor.submit(time.sleep, 0.8, extra_context=context) for _ in range(3)]
        executor.wait(calls)
