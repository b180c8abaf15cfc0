"""A trace: its order, what it refuses, and what follows from it without running it."""

from __future__ import annotations

import pytest
from benchmarks.traces.trace import Trace, TraceError, TraceTask, ordered

DIAMOND = (
    TraceTask("end", "k", 1.0, ("left", "right")),
    TraceTask("left", "k", 2.0, ("start",)),
    TraceTask("right", "k", 5.0, ("start",)),
    TraceTask("start", "k", 1.0),
    TraceTask("aside", "k", 3.0),
)


@pytest.fixture
def diamond() -> Trace:
    return ordered("diamond", DIAMOND)


def test_those_that_a_task_needs_stand_before_it_and_else_the_given_order_holds(diamond: Trace) -> None:
    """Tasks keep their order as far as what they need allows."""
    assert [task.name for task in diamond.tasks] == ["start", "left", "right", "end", "aside"]


def test_levels_count_the_tasks_to_the_end_and_not_their_time(diamond: Trace) -> None:
    """The level of a task is the number of tasks on its longest way to the end."""
    assert diamond.levels == {"start": 3, "left": 2, "right": 2, "end": 1, "aside": 1}


def test_the_bound_is_the_critical_path_or_the_work_for_each_slot(diamond: Trace) -> None:
    """Few slots are bound by the work, many by the longest way."""
    assert (diamond.work, diamond.critical_path) == (12.0, 7.0)
    assert (diamond.bound(1), diamond.bound(2)) == (12.0, 7.0)


def test_the_ends_are_those_that_no_task_needs(diamond: Trace) -> None:
    """What a flow of the trace returns are the values of these."""
    assert diamond.ends == ["end", "aside"]


def test_scaling_multiplies_every_time(diamond: Trace) -> None:
    """The shape stays, and the bound is multiplied like the times."""
    scaled = diamond.scaled(0.5)
    assert scaled.bound(1) == 6.0
    assert scaled.children == diamond.children


@pytest.mark.parametrize(
    ("tasks", "says"),
    [
        ([TraceTask("a", "k", 1.0), TraceTask("a", "k", 2.0)], "'a' is the name of two tasks"),
        ([TraceTask("a", "k", 1.0, ("b",))], "'a' needs 'b', which is no task"),
        ([TraceTask("a", "k", 1.0, ("b",)), TraceTask("b", "k", 1.0, ("a",))], "'a' waits for itself"),
    ],
)
def test_what_is_no_workflow_is_refused_by_name(tasks: list[TraceTask], says: str) -> None:
    """A name twice, a parent that is missing and a circle are errors that name the task."""
    with pytest.raises(TraceError, match=says):
        ordered("wrong", tasks)
