"""Traces replayed: as a flow and as a graph for dask, both of which compute the same."""

from __future__ import annotations

import dask
import pytest
from benchmarks.makespan import graph_of, main, ordered_rows, replayed
from benchmarks.traces.families import FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
def test_the_flow_and_the_graph_of_a_trace_have_the_same_tasks_and_values(family: str) -> None:
    """Both return the times of the last tasks, and the flow has one run for each task, named by its kind."""
    trace = FAMILIES[family]().scaled(1e-6)
    run = replayed.run(trace, executor="local")
    assert list(run.result) == list(dask.get(*graph_of(trace, "p-")))
    assert sorted(each.name for each in run.task_runs) == sorted(task.kind for task in trace.tasks)


def test_the_command_without_files_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong call ends with 2 and a line of usage."""
    assert main([]) == 2
    assert "FILE" in capsys.readouterr().err


@pytest.mark.parametrize("slots", [4, 8])
def test_our_order_is_as_good_as_a_list_schedule_that_knows_levels(slots: int) -> None:
    """In virtual time, for the worst of all families, in the mean of ten draws of each."""
    drawn = [[family(seed) for seed in range(10)] for family in FAMILIES.values()]
    listed, _ = ordered_rows(drawn, slots)
    assert listed.budget is not None and listed.holds, listed.what
