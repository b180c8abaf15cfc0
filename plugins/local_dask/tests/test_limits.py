"""Limits of time that a call cannot absorb, on each scheduler: of a task, and of the whole flow."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import cloudpickle
import pytest

from turgo import flow, task
from turgo.errors import RunTimeoutError, TaskTimeoutError
from turgo.records.states import TaskState
from turgo_local_dask import LocalDaskExecutor

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file

MINUTE_SECONDS = 60


def polls() -> None:
    """Try again whatever happens."""
    while True:
        try:
            time.sleep(0.05)
            raise ConnectionError("not there yet")
        except BaseException:  # noqa: BLE001, S110  (as users write it)
            pass


def cleans_up_for_long() -> None:
    """Take a minute in `finally`, in short naps."""
    try:
        naps()
    finally:
        naps()


def naps() -> None:
    """Sleep for a minute, in Python code."""
    end = time.monotonic() + MINUTE_SECONDS
    while time.monotonic() < end:
        time.sleep(0.05)


def waits_for_threads() -> list[None]:
    """Leave threads that go on for a while."""
    with ThreadPoolExecutor(2) as inner:
        return list(inner.map(time.sleep, [8, 8]))


def reads_from_a_child() -> bytes:
    """Wait for a process that says nothing."""
    return subprocess.run(["sleep", "8"], capture_output=True, check=True).stdout


async def catches_cancellation() -> None:
    """Go on when the event loop cancels it."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(MINUTE_SECONDS)


STUBBORN = [polls, cleans_up_for_long, waits_for_threads, reads_from_a_child, catches_cancellation]


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous"])
@pytest.mark.parametrize("call", STUBBORN, ids=lambda call: str(call.__name__))
def test_a_task_cannot_absorb_its_limit(call: Callable[[], Any], scheduler: str) -> None:
    """It is TimedOut although it catches everything, and the task after it is executed."""

    @task(timeout=0.5)
    def limited() -> Any:
        return asyncio.run(call()) if inspect.iscoroutinefunction(call) else call()

    @task(trigger="all_finished")
    def after(_: Any) -> int:
        return 1

    @flow
    def both() -> Any:
        first = limited()
        return first, after(first)

    run = both.run(executor=LocalDaskExecutor(scheduler, num_workers=1))
    assert [each.state for each in run.task_runs] == [TaskState.TIMED_OUT, TaskState.SUCCESS]
    assert isinstance(run.task_runs[0].error, TaskTimeoutError)


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous"])
@pytest.mark.parametrize("call", STUBBORN, ids=lambda call: str(call.__name__))
def test_a_task_cannot_absorb_the_limit_of_its_flow(call: Callable[[], Any], scheduler: str) -> None:
    """The run ends, with the error that says so, and the task is no Success."""

    @flow(timeout=1.5)
    def limited() -> Any:
        return task(call)()

    run = limited.run(executor=LocalDaskExecutor(scheduler, num_workers=1))
    assert isinstance(run.error, RunTimeoutError)
    assert [each.state for each in run.task_runs] == [TaskState.CANCELLED]
