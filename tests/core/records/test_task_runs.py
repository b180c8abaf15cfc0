"""Task runs: the sequence that is made from the columns when somebody looks."""

import time
from array import array

import pytest

from turgo import flow, task
from turgo.records.ledger import Failure, Ledger, MappedColumns, Span, Stamp
from turgo.records.states import CODE, TaskState
from turgo.records.task_run import TaskEvent
from turgo.records.task_runs import TaskRuns

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def same(value):
    return value


@task
def fails(value):
    if value == 2:
        raise ValueError("two")
    return value


def test_task_runs_are_a_sequence_in_the_order_of_recording():
    """Length, positions from both ends, slices and iteration agree; a position beyond is an IndexError."""

    @flow
    def three():
        return same("a"), same.map(range(3)), same.map([]), same("b")

    runs = three.run(executor="local").task_runs
    labels = ["same", "same[0]", "same[1]", "same[2]", "same"]
    assert [run.label for run in runs] == labels
    assert len(runs) == 5
    assert [runs[at].label for at in range(-5, 5)] == labels * 2
    assert [run.label for run in runs[1:4]] == labels[1:4]
    assert [run.label for run in runs[::-2]] == labels[::-2]
    for beyond in (5, -6):
        with pytest.raises(IndexError, match="5 task runs"):
            runs[beyond]
    assert repr(runs) == "<5 task runs: 5 Success>"
    assert runs.widths() == {"same": 5}


def test_failures_are_those_that_failed_by_themselves():
    """Not what was not run because of them, and not what was skipped."""

    @flow
    def broken():
        return same.map(fails.map(range(4)))

    runs = broken.run(executor="local").task_runs
    assert [run.label for run in runs.failures()] == ["fails[2]"]
    assert runs.counts() == {TaskState.SUCCESS: 6, TaskState.FAILED: 1, TaskState.TRIGGER_FAILED: 1}
    assert runs.by_task()["same"].states == {TaskState.SUCCESS: 3, TaskState.TRIGGER_FAILED: 1}
    assert runs.by_task()["fails"].runs == 4
    assert runs.by_task()["fails"].seconds >= 0


def test_failures_are_in_the_order_of_recording_whichever_came_first():
    """By the number of their call and that of their element."""
    ledger = Ledger(["m", "s", "m"], [None, None, None])
    for node in (2, 0):
        ledger.mapped[node] = MappedColumns(20)
    for key in [(2, 3), (0, 12), (1, None), (0, 7)]:
        states = ledger.states if key[1] is None else ledger.mapped[key[0]].states
        states[key[0] if key[1] is None else key[1]] = CODE[TaskState.FAILED]
        ledger.failures[key] = Failure(TaskState.FAILED, ValueError())
    assert [run.label for run in TaskRuns(ledger).failures()] == ["m[7]", "m[12]", "s", "m[3]"]


def test_looking_at_many_task_runs_that_ran_one_by_one_is_quick():
    """Ten thousand batches of one element do not make it quadratic."""
    ledger = Ledger(["m"], [None])
    columns = ledger.mapped[0] = MappedColumns(10_000)
    stamp = Stamp("w", 0.0, 0.0)
    columns.spans += [Span(at, at + 1, stamp, 1.0, array("d", [2.0])) for at in range(10_000)]
    began = time.process_time()
    assert sum(run.duration for run in TaskRuns(ledger)) == 10_000
    assert (
        time.process_time() - began < 5
    )  # it takes 0.1 s, and took a minute when each look searched all batches


def test_by_task_adds_up_states_and_seconds_of_each_name() -> None:
    """Single and mapped calls of one name are one row: counts by state and the time together."""
    ledger = Ledger(["find", "measure", "measure"], [None, None, None])
    here = Stamp("thread-1", 1000.0, 0.0)
    ledger.states[0] = CODE[TaskState.SUCCESS]
    ledger.times[0] = (here, 0.0, 0.25)
    columns = ledger.mapped[1] = MappedColumns(2)
    for index, (state, seconds) in enumerate([(TaskState.SUCCESS, 2.0), (TaskState.FAILED, 1.0)]):
        columns.states[index] = CODE[state]
        columns.spans.append(Span(index, index + 1, here, 0.0, array("d", [seconds])))
    totals = TaskRuns(ledger).by_task()
    assert list(totals) == ["find", "measure"]
    assert totals["find"].seconds == 0.25
    expected = {TaskState.PENDING: 1, TaskState.SUCCESS: 1, TaskState.FAILED: 1}
    assert totals["measure"].states == expected
    assert totals["measure"].runs == 3 and totals["measure"].seconds == 3.0
    assert TaskRuns(ledger).widths() == {"find": 1, "measure": 3}


def test_the_task_runs_of_an_event():
    """A single call, some elements, and of a map that was cut short those that were left over."""
    ledger = Ledger(["find", "measure"], [None, None])
    ledger.states[0] = CODE[TaskState.SUCCESS]
    columns = ledger.mapped[1] = MappedColumns(4)
    columns.states[:] = bytes(
        CODE[TaskState(each)] for each in ("Cancelled", "Success", "Success", "Cancelled")
    )
    runs = TaskRuns(ledger)

    def of(*facts):
        return [(run.label, run.state.value) for run in runs.of_event(TaskEvent(*facts))]

    assert of("find", TaskState.SUCCESS, 1, 0) == [("find", "Success")]
    assert of("measure", TaskState.SUCCESS, 2, 1, 1, 3) == [
        ("measure[1]", "Success"),
        ("measure[2]", "Success"),
    ]
    assert of("measure", TaskState.CANCELLED, 2, 1) == [
        ("measure[0]", "Cancelled"),
        ("measure[3]", "Cancelled"),
    ]


def test_times_of_elements_may_be_asked_while_more_of_them_end():
    """What is known of earlier spans is kept, and those that came since are added."""
    columns = MappedColumns(4)
    assert columns.attempt(0) is None
    stamp = Stamp("worker", 100.0, 0.0)
    columns.spans.append(Span(0, 2, stamp, 0.0, array("d", [1.0, 2.0])))
    assert columns.attempt(1) == (101.0, 1.0, "worker") and columns.attempt(2) is None
    columns.spans.append(Span(1, 3, stamp, 5.0, array("d", [6.0, 8.0])))
    assert columns.attempt(1) == (105.0, 1.0, "worker") and columns.attempt(2) == (106.0, 2.0, "worker")
    assert columns.attempt(0) == (100.0, 1.0, "worker")
