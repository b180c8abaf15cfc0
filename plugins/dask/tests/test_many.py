"""Many at once: runs, executors, threads, an executor inside a task, an asynchronous caller."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import distributed
import pytest

from penstock import flow, task
from penstock.errors import ExecutorStartError
from penstock_dask import DaskExecutor


@task
def double(x: int) -> int:
    """Twice."""
    return 2 * x


@flow
def doubles(start: int, count: int) -> Any:
    """So many of them."""
    return double.map(range(start, start + count))


@task
def nested(address: str, start: int) -> list[int]:
    """Runs a flow on the cluster that it runs on itself."""

    @task
    def inner(x: int) -> int:
        return x + 1

    @flow
    def inside() -> Any:
        return inner.map(range(start, start + 5))

    run = inside.run(executor=DaskExecutor(address=address, debug=False))
    return list(run.result)


@flow
def nesting(address: str) -> Any:
    """Several at once, of which each needs a thread of the cluster."""
    return nested.map([address] * 3, [0, 10, 20])


@pytest.fixture(scope="module")
def theirs() -> Iterator[distributed.LocalCluster]:
    """A cluster that runs already, with two threads."""
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster


def _executor(theirs: distributed.LocalCluster) -> DaskExecutor:
    return DaskExecutor(address=theirs.scheduler_address, debug=False)


def _in_threads(count: int, work: Any) -> list[Any]:
    found: list[Any] = [None] * count

    def run(number: int) -> None:
        found[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_two_runs_on_one_cluster_do_not_see_each_other(theirs: distributed.LocalCluster) -> None:
    """Each with an executor of its own, of the same flow: each gets its own values, and nothing stays behind."""
    runs = _in_threads(3, lambda number: doubles.run(100 * number, 50, executor=_executor(theirs)))
    for number, run in enumerate(runs):
        assert run.result == [2 * x for x in range(100 * number, 100 * number + 50)]
    assert not theirs.scheduler.tasks
    assert len({run.id for run in runs}) == 3


def test_keys_carry_the_id_of_their_run(theirs: distributed.LocalCluster) -> None:
    """So that one can tell on a shared cluster whose they are; the dashboard groups them by task all the same."""
    seen: set[str] = set()

    class Spy(distributed.SchedulerPlugin):  # type: ignore[misc]  # distributed carries no types
        def transition(self, key: str, *args: Any, **kwargs: Any) -> None:
            seen.add(key)

    theirs.scheduler.add_plugin(Spy(), name="spy")
    try:
        run = doubles.run(0, 20, executor=_executor(theirs))
    finally:
        theirs.scheduler.remove_plugin("spy")
    assert seen
    assert all(run.id.rpartition("-")[2] in key for key in seen)
    assert {distributed.utils.key_split(key) for key in seen} <= {"double", "double-facts"}


def test_two_runs_on_one_executor_in_threads(theirs: distributed.LocalCluster) -> None:
    """One started executor serves them all."""
    with _executor(theirs).start() as executor:
        runs = _in_threads(3, lambda number: doubles.run(10 * number, 9, executor=executor))
    assert [run.result for run in runs] == [[2 * x for x in range(10 * n, 10 * n + 9)] for n in range(3)]


def test_two_temporary_clusters_in_one_process() -> None:
    """Neither takes the other's calls, and closing one leaves the other be."""
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    one = DaskExecutor(cluster_kwargs=options, debug=False)
    other = DaskExecutor(cluster_kwargs=options, debug=False)
    with one.start():
        with other.start():
            assert one.dashboard_link != other.dashboard_link or one.dashboard_link is None
            assert one.submit(abs, -1).result() == other.submit(abs, -1).result() == 1
        assert doubles.run(0, 5, executor=one).result == [0, 2, 4, 6, 8]


def test_an_executor_inside_a_task_of_the_same_cluster(theirs: distributed.LocalCluster) -> None:
    """The task leaves its thread to the calls it waits for: as many tasks as there are threads, and no deadlock."""
    run = nesting.run(theirs.scheduler_address, executor=_executor(theirs))
    assert run.result == [[x + 1 for x in range(start, start + 5)] for start in (0, 10, 20)]


def test_an_asynchronous_caller_runs_flows(theirs: distributed.LocalCluster) -> None:
    """Inside a running event loop, and beside it in threads, of which several run at once."""

    async def main() -> list[Any]:
        here = doubles.run(0, 3, executor=_executor(theirs))
        beside = [asyncio.to_thread(doubles.run, n, 3, executor=_executor(theirs)) for n in (1, 2)]
        return [here, *await asyncio.gather(*beside)]

    assert [run.result for run in asyncio.run(main())] == [[0, 2, 4], [2, 4, 6], [4, 6, 8]]


def test_a_cluster_of_the_callers_own_event_loop() -> None:
    """From a thread it is used as any other; from the loop itself that would block both for ever, and is an error."""

    async def main() -> Any:
        options: dict[str, Any] = {"n_workers": 1, "processes": False, "dashboard_address": "127.0.0.1:0"}
        async with distributed.LocalCluster(asynchronous=True, silence_logs=50, **options) as cluster:
            executor = DaskExecutor(cluster_class=cluster, debug=False)
            with pytest.raises(ExecutorStartError, match="to_thread"):
                doubles.run(0, 3, executor=executor)
            return await asyncio.to_thread(doubles.run, 0, 3, executor=executor)

    assert asyncio.run(main()).result == [0, 2, 4]
