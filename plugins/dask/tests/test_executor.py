"""The executor as its callers use it: pools, threads, event loops, code for Prefect 1.x."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import re
import threading
import time
from typing import Any

import distributed
import pytest

from turgo import flow, task
from turgo_dask import DaskExecutor


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


@task
def double(x: int) -> int:
    """Twice."""
    return 2 * x


@flow
def doubles(start: int, count: int) -> Any:
    """So many of them."""
    return double.map(range(start, start + count))


def _executor(theirs_of_two: distributed.LocalCluster) -> DaskExecutor:
    return DaskExecutor(address=theirs_of_two.scheduler_address, debug=False)


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


def test_asyncio_awaits_calls_through_the_pool_face(cluster: DaskExecutor) -> None:
    """`run_in_executor` insists on real futures, and gets them."""

    async def main(pool: Any) -> list[int]:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(pool, abs, -number) for number in range(5)))

    with cluster.as_pool() as pool:
        assert asyncio.run(main(pool)) == [0, 1, 2, 3, 4]


def test_code_that_drives_executors_of_prefect_1_drives_this_one(cluster: DaskExecutor) -> None:
    """`start`, `submit` with its extra context, futures among arguments, and `wait`, as its flow runner uses them."""

    def increment(x: int, by: int = 1) -> int:
        return x + by

    context: Any = {"task_name": "increment", "task_index": None, "task_tags": set()}
    first = cluster.submit(increment, 1, extra_context=context)
    mapped = [
        cluster.submit(increment, first, by=index, extra_context={**context, "task_index": index})
        for index in range(3)
    ]
    assert cluster.wait({"first": first, "mapped": mapped}) == {"first": 2, "mapped": [2, 3, 4]}
    assert re.fullmatch(r"increment-[0-9a-f]{32}", first.key)  # type: ignore[attr-defined]
    assert re.fullmatch(r"increment-2-[0-9a-f]{32}", mapped[2].key)  # type: ignore[attr-defined]


def test_logs_carry_task_and_worker(cluster: DaskExecutor, caplog: pytest.LogCaptureFixture) -> None:
    """What a task logs on a worker is in its record, and in the driver's log, with the worker's name beside it."""
    with caplog.at_level(logging.INFO):
        run = resting.run(0.0, 3, executor=cluster)
    heard = {record.task_index: record.worker for record in caplog.records if record.message == "resting"}  # type: ignore[attr-defined]
    assert heard == {each.index: each.worker for each in run.task_runs}
    for each in run.task_runs:
        assert [line.message for line in each.logs] == ["resting"]
        assert each.worker


def test_two_runs_on_one_cluster_do_not_see_each_other(theirs_of_two: distributed.LocalCluster) -> None:
    """Each with an executor of its own, of the same flow: each gets its own values, and nothing stays behind."""
    runs = _in_threads(3, lambda number: doubles.run(100 * number, 50, executor=_executor(theirs_of_two)))
    for number, run in enumerate(runs):
        assert run.result == [2 * x for x in range(100 * number, 100 * number + 50)]
    assert not theirs_of_two.scheduler.tasks
    assert len({run.id for run in runs}) == 3


def test_two_runs_on_one_executor_in_threads(theirs_of_two: distributed.LocalCluster) -> None:
    """One started executor serves them all."""
    with _executor(theirs_of_two).start() as executor:
        runs = _in_threads(3, lambda number: doubles.run(10 * number, 9, executor=executor))
    assert [run.result for run in runs] == [[2 * x for x in range(10 * n, 10 * n + 9)] for n in range(3)]


def test_an_asynchronous_caller_runs_flows(theirs_of_two: distributed.LocalCluster) -> None:
    """Inside a running event loop, and beside it in threads, of which several run at once."""

    async def main() -> list[Any]:
        here = doubles.run(0, 3, executor=_executor(theirs_of_two))
        beside = [asyncio.to_thread(doubles.run, n, 3, executor=_executor(theirs_of_two)) for n in (1, 2)]
        return [here, *await asyncio.gather(*beside)]

    assert [run.result for run in asyncio.run(main())] == [[0, 2, 4], [2, 4, 6], [4, 6, 8]]


def test_keys_carry_the_id_of_their_run(theirs_of_two: distributed.LocalCluster) -> None:
    """So that one can tell on a shared cluster whose they are; the dashboard groups them by task all the same."""
    seen: set[str] = set()

    class Spy(distributed.SchedulerPlugin):  # type: ignore[misc]  # distributed carries no types
        def transition(self, key: str, *args: Any, **kwargs: Any) -> None:
            seen.add(key)

    theirs_of_two.scheduler.add_plugin(Spy(), name="spy")
    try:
        run = doubles.run(0, 20, executor=_executor(theirs_of_two))
    finally:
        theirs_of_two.scheduler.remove_plugin("spy")
    assert seen
    assert all(run.id.rpartition("-")[2] in key for key in seen)
    assert {distributed.utils.key_split(key) for key in seen} <= {"double", "double-facts"}
