"""The least time in which the calls of a run can be over."""

import time
from typing import Any

import pytest

from turgo import flow, task
from turgo.cli.compare.ideal import ideal_seconds
from turgo.records.flow_run import FlowRun
from turgo.registry.precedence import get_executor

NAP_SECONDS = 0.02


@task
def nap(before: Any = None) -> float:
    time.sleep(NAP_SECONDS)
    return 1.0


@flow
def wide() -> Any:
    return nap.map(range(6))


@flow
def chain() -> Any:
    return nap(nap(nap()))


@flow
def layers() -> Any:
    return nap.map(nap.map(range(3)))


@pytest.mark.parametrize(
    ("asked", "slots", "naps"),
    [(wide, 1, 6), (wide, 3, 2), (wide, 100, 1), (chain, 100, 3), (layers, 100, 2), (layers, 1, 6)],
)
def test_work_is_shared_out_and_chains_are_not(
    asked: Any, slots: int, naps: int, project: Any, inline_as_local: None
) -> None:
    """The longer of both; the time of each call as it was measured."""
    run: FlowRun[Any] = asked.run(executor=get_executor("local"))
    longest = max(each.duration or 0.0 for each in run.task_runs)
    ideal = ideal_seconds(asked.record(), run, slots)
    assert naps * NAP_SECONDS <= ideal <= naps * longest
