"""The tally: how far each task is, counted from events."""

import time
from pathlib import Path

import pytest

from turgo.observers.tally import Tally
from turgo.records.amounts import duration, frequency
from turgo.records.ledger import MappedColumns
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent
from turgo.registry.source_files import load_source

_written = load_source(Path(__file__).parent / "written_runs.py")
Clock = _written.Clock
run_of = _written.run_of


def test_tally_counts_what_is_over() -> None:
    """Running is not done, a failure is both done and failed, and the last one makes the task complete."""
    clock = Clock()
    run, _ = run_of(measure=4)
    tally = Tally(run, clock=clock)
    assert tally.add([TaskEvent("measure", TaskState.RUNNING, 4, 0, 0, 4)]) == []
    clock.now += 2
    assert tally.add([TaskEvent("measure", TaskState.SUCCESS, 3, 0, 0, 3)]) == []
    assert tally.tasks["measure"].rate(clock.now) == 1.5
    complete = tally.add([TaskEvent("measure", TaskState.FAILED, 1, 0, 3, 4)])
    assert [(task.name, task.done, task.failed, task.total) for task in complete] == [("measure", 4, 1, 4)]


def test_tally_learns_the_width_of_a_map_on_the_way() -> None:
    """A map whose width becomes known while the run goes on is not complete after its first element."""
    clock = Clock()
    run, ledger = run_of(measure=None)
    tally = Tally(run, clock=clock)
    ledger.mapped[0] = MappedColumns(3)
    assert tally.add([TaskEvent("measure", TaskState.SUCCESS, 1, 0, 0, 1)]) == []
    assert tally.add([TaskEvent("measure", TaskState.SUCCESS, 2, 0, 1, 3)]) != []


def test_tally_times_a_task_from_what_was_heard_before_it() -> None:
    """A task that is heard of only when it is over took the time since the last news."""
    clock = Clock()
    run, _ = run_of(first=None, second=None)
    tally = Tally(run, clock=clock)
    clock.now += 1
    tally.add([TaskEvent("first", TaskState.SUCCESS, 1, 0)])
    clock.now += 5
    tally.add([TaskEvent("second", TaskState.SUCCESS, 1, 1)])
    assert tally.tasks["first"].elapsed(clock.now) == 1
    assert tally.tasks["second"].elapsed(clock.now) == 5


def test_what_is_cancelled_is_not_done() -> None:
    """An interrupted run shows how far it came; what it never did is neither done nor failed."""
    run, _ = run_of(measure=4)
    tally = Tally(run, clock=Clock())
    events = [
        TaskEvent("measure", TaskState.SUCCESS, 1, 0, 0, 1),
        TaskEvent("measure", TaskState.CANCELLED, 3, 0, 1, 4),
    ]
    assert tally.add(events) == []
    assert (tally.tasks["measure"].done, tally.tasks["measure"].failed) == (1, 0)


def test_a_million_events_cost_little() -> None:
    """A bunch costs as much as it has events, whatever the width of the map behind it."""
    run, _ = run_of(measure=1_000_000)
    tally = Tally(run, clock=Clock())
    began = time.process_time()
    for low in range(0, 1_000_000, 1000):
        tally.add([TaskEvent("measure", TaskState.SUCCESS, 1000, 0, low, low + 1000)])
    assert tally.tasks["measure"].complete
    assert (
        time.process_time() - began < 5
    )  # it is some 2 ms; reading a million states each time would be minutes


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12 ms"), (0.9999, "1.0 s"), (4.25, "4.2 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    """A time is written in the unit in which one thinks of it."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(None, ""), (1250.0, "1,250/s"), (3.44, "3.4/s"), (0.2, "12.0/min")]
)
def test_rates_read_well(rate: float | None, text: str) -> None:
    """A rate is written in the second, or in the minute if it is slow."""
    assert frequency(rate) == text
