"""An executor inside a task of the same cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import distributed
import pytest

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


def test_an_executor_inside_a_task_of_the_same_cluster(theirs: distributed.LocalCluster) -> None:
    """The task leaves its thread to the calls it waits for: as many tasks as there are threads, and no deadlock."""
    run = nesting.run(theirs.scheduler_address, executor=_executor(theirs))
    assert run.result == [[x + 1 for x in range(start, start + 5)] for start in (0, 10, 20)]
