"""An executor inside a task of the same cluster."""

from __future__ import annotations

from typing import Any

import distributed

from turgo import flow, task
from turgo_dask import DaskExecutor


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


def _executor(theirs_of_two: distributed.LocalCluster) -> DaskExecutor:
    return DaskExecutor(address=theirs_of_two.scheduler_address, debug=False)


def test_an_executor_inside_a_task_of_the_same_cluster(theirs_of_two: distributed.LocalCluster) -> None:
    """The task leaves its thread to the calls it waits for: as many tasks as there are threads, and no deadlock."""
    run = nesting.run(theirs_of_two.scheduler_address, executor=_executor(theirs_of_two))
    assert run.result == [[x + 1 for x in range(start, start + 5)] for start in (0, 10, 20)]
