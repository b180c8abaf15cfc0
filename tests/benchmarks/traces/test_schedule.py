"""The list schedule that knows levels: on graphs small enough to see what is right."""

from __future__ import annotations

import pytest
from benchmarks.traces.families import FAMILIES
from benchmarks.traces.schedule import dask_schedule, list_schedule
from benchmarks.traces.trace import TraceTask, ordered


def test_a_chain_takes_its_length_on_any_number_of_slots() -> None:
    """Nothing of a chain runs side by side."""
    links = [TraceTask("a", "k", 1.0), TraceTask("b", "k", 2.0, ("a",)), TraceTask("c", "k", 3.0, ("b",))]
    assert list_schedule(ordered("chain", links), 1) == list_schedule(ordered("chain", links), 4) == 6.0


def test_who_waits_for_another_pays_a_round_trip() -> None:
    """And one for the first task and the last; tasks that wait for a slot pay none."""
    links = [TraceTask("a", "k", 1.0), TraceTask("b", "k", 2.0, ("a",)), TraceTask("c", "k", 3.0, ("b",))]
    assert list_schedule(ordered("chain", links), 2, 0.5) == 7.5
    wide = [TraceTask(f"{at}", "k", 1.0) for at in range(5)]
    assert list_schedule(ordered("wide", wide), 2, 0.5) == 3.5


def test_tasks_alike_share_the_slots() -> None:
    """Five tasks of a second on two slots take three rounds."""
    assert list_schedule(ordered("wide", [TraceTask(f"{at}", "k", 1.0) for at in range(5)]), 2) == 3.0


def test_a_chain_recorded_last_begins_first() -> None:
    """The longest path is begun at once, so that the wide work fills the other slot beside it."""
    wide = [TraceTask(f"wide-{at}", "k", 1.0) for at in range(4)]
    chain = [TraceTask(f"{at}", "k", 1.0, (f"{at - 1}",) if at else ()) for at in range(4)]
    assert list_schedule(ordered("both", [*wide, *chain]), 2) == 4.0


def test_durations_are_not_known_beforehand() -> None:
    """A long task without followers begins after a short one with one: who knew it would have begun it first."""
    tasks = [TraceTask("long", "k", 10.0), TraceTask("a", "k", 1.0), TraceTask("b", "k", 1.0, ("a",))]
    assert list_schedule(ordered("blind", [*tasks, TraceTask("beside", "k", 11.0)]), 2) == 13.0


def test_a_parent_named_twice_is_waited_for_once() -> None:
    """A task that needs another in two places begins when that one is over."""
    tasks = [TraceTask("a", "k", 1.0), TraceTask("b", "k", 1.0, ("a", "a"))]
    assert list_schedule(ordered("twice", tasks), 1) == 2.0


@pytest.mark.parametrize("slots", [1, 4, 8])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_lies_between_the_bound_and_twice_the_bound(family: str, slots: int) -> None:
    """Graham's bound for list schedules: at most 2 - 1/slots times what is best."""
    trace = FAMILIES[family]()
    bound = trace.critical_path + (trace.work - trace.critical_path) / slots
    assert trace.bound(slots) - 1e-6 <= list_schedule(trace, slots) <= bound + 1e-6


def test_dasks_order_finishes_what_it_has_begun() -> None:
    """Two lanes on one slot one after the other; a chain recorded last beside wide work as dask takes it."""
    lanes = [
        TraceTask(f"{lane}{at}", "k", 1.0, (f"{lane}{at - 1}",) if at else ())
        for at in range(2)
        for lane in "ab"
    ]
    assert dask_schedule(ordered("lanes", lanes), 1) == 4.0
    assert dask_schedule(ordered("lanes", lanes), 2) == 2.0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("slots", [1, 4])
def test_no_order_is_quicker_than_the_bound(family: str, slots: int) -> None:
    """Nor slower than all of it on one slot."""
    trace = FAMILIES[family]()
    took = dask_schedule(trace, slots)
    assert trace.bound(slots) <= took * (1 + 1e-9) and took <= trace.bound(1) * (1 + 1e-9)
