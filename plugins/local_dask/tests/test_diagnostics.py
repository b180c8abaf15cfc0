"""Dask's own diagnostics see the calls of the executor, on each of its schedulers."""

from __future__ import annotations

import io
import sys
from typing import Any

import cloudpickle
import dask
import pytest
from dask.callbacks import Callback
from dask.diagnostics import CacheProfiler, Profiler, ProgressBar

from turgo import flow, task
from turgo_local_dask import LocalDaskExecutor

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the processes do not have this file

SCHEDULERS = ["threads", "processes", "synchronous"]


@task(batch=False)
def double(number: int) -> int:
    return 2 * number


@flow
def doubles() -> Any:
    return double.map(range(5))


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_progress_bar_comes_to_its_end(scheduler: str) -> None:
    """It counts what is submitted, and is complete when the run is."""
    drawn = io.StringIO()
    with ProgressBar(out=drawn, dt=0.01):
        assert doubles.run(executor=LocalDaskExecutor(scheduler, num_workers=2)).result == [0, 2, 4, 6, 8]
    assert "100% Completed" in drawn.getvalue()


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_profiler_has_each_submission_with_its_name_times_and_worker(scheduler: str) -> None:
    """The keys say the task; the start is before the end; what overlaps has different workers."""
    with Profiler() as profiler:
        doubles.run(executor=LocalDaskExecutor(scheduler, num_workers=2))
    assert {each.key[0] for each in profiler.results} == {"double"}
    assert len(profiler.results) == len({each.key for each in profiler.results}) == 5
    assert all(each.start_time <= each.end_time for each in profiler.results)
    for one in profiler.results:
        for other in profiler.results:
            if one.start_time < other.start_time < one.end_time:
                assert one.worker_id != other.worker_id


def test_values_are_shown_and_failures_are_not() -> None:
    """As in dask, a callback after a task has its value, and none is called for one that failed."""
    executor = LocalDaskExecutor("threads", num_workers=1)
    with CacheProfiler(metric=lambda value: value) as profiler, executor.start():
        assert executor.submit(abs, -3).result() == 3
        assert executor.submit(divmod, 1, 0).exception() is not None
    assert [each.metric for each in profiler.results] == [3]


class Counting(Callback):
    """Counts what dask calls a callback for."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        super().__init__(
            start=lambda graph: self.calls.append("start"),
            start_state=lambda graph, state: self.calls.append("start_state"),
            pretask=lambda key, graph, state: self.calls.append(("pretask", key in state["running"])),
            posttask=lambda key, value, graph, state, worker: self.calls.append(
                ("posttask", key in state["finished"])
            ),
            finish=lambda graph, state, failed: self.calls.append(("finish", failed)),
        )


def test_callbacks_come_in_the_order_of_dask() -> None:
    """Start and finish once for each `start()`; whether it was left by an error is said."""
    with Counting() as counting:
        with LocalDaskExecutor("synchronous").start() as executor:
            executor.submit(abs, -1)
        with pytest.raises(LookupError), LocalDaskExecutor("synchronous").start():
            raise LookupError
    assert counting.calls == [
        "start",
        "start_state",
        ("pretask", True),
        ("posttask", True),
        ("finish", False),
        "start",
        "start_state",
        ("finish", True),
    ]


def test_what_a_call_computes_by_dask_is_not_counted() -> None:
    """The callbacks belong to the outermost, and are active again afterwards."""
    with Counting() as counting:
        with LocalDaskExecutor("threads", num_workers=1).start() as executor:
            inner = dask.delayed(abs)(-2)
            assert executor.submit(lambda: inner.compute(scheduler="synchronous")).result() == 2
        assert sum(call[0] == "pretask" for call in counting.calls) == 1
        assert counting._callback in Callback.active
    assert counting._callback not in Callback.active


def test_a_scheduler_function_calls_them_itself() -> None:
    """Each call is a graph of one key for it, as it is without callbacks."""
    executor = LocalDaskExecutor(dask.get)
    with Counting() as counting, executor.start():
        assert executor.submit(abs, -1).result() == 1
    assert [call for call in counting.calls if call == "start"] == ["start"]
