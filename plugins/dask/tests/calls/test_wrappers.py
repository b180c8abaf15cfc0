"""What is called on a worker around a call: exits are errors, and a thread of a call is the worker's own to dask."""

from __future__ import annotations

import sys
import time
from typing import Any

import distributed
import pytest

from turgo import TaskState, flow, task
from turgo_dask import DaskExecutor
from turgo_dask.calls.wrappers import EXIT, contained, exit_of


@pytest.mark.parametrize(
    "error", [RuntimeError("my own"), RuntimeError(EXIT), RuntimeError(1, 2, 3), ValueError(EXIT, "", ())]
)
def test_an_error_of_somebody_else_is_left_as_it_is(error: Exception) -> None:
    """Only what the wrapper has raised stands for an exit."""
    assert exit_of(error) is error


def test_an_exit_is_an_error_and_no_end_of_a_worker() -> None:
    """Which would take the event loop of this process along, where calls run in its threads."""
    with pytest.raises(RuntimeError) as caught:
        contained()(sys.exit, 3)
    found = exit_of(caught.value)
    assert isinstance(found, SystemExit)
    assert found.code == 3
    assert contained()(divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        contained()(divmod, 7, 0)


@pytest.mark.parametrize("processes", [False, True])
def test_a_call_that_exits_fails_alone(processes: bool) -> None:
    """On threads and on processes, with its exit code; the worker stays."""
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": processes}

    def worker() -> str:
        return str(distributed.get_worker().address)

    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        before = executor.submit(worker).result(timeout=60)
        error = executor.submit(sys.exit, 3).exception(timeout=60)
        assert isinstance(error, SystemExit)
        assert error.code == 3
        assert executor.submit(worker).result(timeout=60) == before


@task(timeout=60.0)
def nests(number: int) -> int:
    """Run calls on the cluster that it runs on, and wait for them without its thread."""
    with distributed.worker_client() as client:
        return int(sum(client.gather(client.map(abs, [-number, -1], pure=False))))


@task(timeout=60.0)
def secedes(number: int) -> tuple[int, str]:
    """Leave the thread to others, and come back."""
    client = distributed.get_client()
    future = client.submit(abs, -number, pure=False)
    distributed.secede()
    value = future.result()
    distributed.rejoin()
    return value, distributed.get_worker().address


@task(timeout=0.5)
def late() -> None:
    """Take longer than it may, after it has left its thread for good."""
    distributed.secede()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        time.sleep(0.01)


@task(timeout=60.0)
def plain(number: int) -> int:
    """Nothing of dask's."""
    return number


@flow
def nesting() -> Any:
    """More calls that wait for others than there are threads, and calls after them."""
    first = nests.map([10, 20, 30])
    second = secedes.after(first).map([1, 2, 3])
    return first, second, plain.after(second).map(range(20))


@flow
def hurrying() -> Any:
    """One that is late, and others after it."""
    return late(), plain.map(range(20))


@pytest.mark.parametrize("processes", [False, True])
def test_a_call_with_a_limit_of_time_may_leave_its_thread(processes: bool) -> None:
    """By secede, rejoin and worker_client; the pool of the worker has its threads afterwards."""
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": processes}

    def threads() -> int:
        return len(distributed.get_worker().executors["default"]._threads)

    with DaskExecutor(cluster_kwargs=options, debug=False).start() as executor:
        run = nesting.run(executor=executor)
        assert run.ok, [each.error for each in run.task_runs if each.error][:1]
        nested, seceded, others = run.result
        assert nested == [11, 21, 31]
        assert [value for value, _ in seceded] == [1, 2, 3]
        assert others == list(range(20))
        assert 1 <= executor.submit(threads).result(timeout=60) <= 2


def test_a_late_call_that_has_left_its_thread_costs_no_other(
    theirs: distributed.LocalCluster,
) -> None:
    """Where it cannot be killed, it is left behind, and the worker goes on with as many threads as before."""
    with DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor:
        for _ in range(2):
            run = hurrying.run(executor=executor)
            states = [each.state for each in run.task_runs]
            assert states == [TaskState.TIMED_OUT] + [TaskState.SUCCESS] * 20
