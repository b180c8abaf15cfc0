"""Records: what is known of a run, in columns, and as objects when somebody looks."""

import time
from array import array

import pytest

from penstock import flow, task
from penstock.errors import RunCancelledError, RunError
from penstock.ledger import Failure, Ledger, MappedColumns, Span, Stamp
from penstock.records import FlowRun
from penstock.states import CODE, RunState, TaskState
from penstock.task_runs import TaskRuns

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


def test_the_columns_tell_when_an_element_ran_last():
    """Spans that overlap, as after a retry, give the later one; what never ran has none."""
    columns = MappedColumns(6)
    stamp = Stamp("worker", wall=1000.0, clock=50.0)
    columns.spans.append(Span(0, 3, stamp, 51.0, array("d", [52.0, 54.0, 57.0])))
    assert columns.attempt(0) == (1001.0, 1.0, "worker")
    assert columns.attempt(2) == (1004.0, 3.0, "worker")
    assert columns.attempt(3) is None
    columns.spans.append(Span(1, 2, stamp, 60.0, array("d", [60.5])))
    assert columns.attempt(1) == (1010.0, 0.5, "worker")
    assert columns.attempt(2) == (1004.0, 3.0, "worker")


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


def test_the_text_of_a_failure_in_this_process_is_made_when_it_is_looked_at():
    """A failure that came from elsewhere brings its own."""
    ledger = Ledger(["t", "u"], [None, None])
    try:
        raise ValueError("here")
    except ValueError as error:
        ledger.failures[0, None] = Failure(TaskState.FAILED, error)
    ledger.failures[1, None] = Failure(TaskState.FAILED, ValueError("there"), "Traceback from there")
    ledger.states[0] = CODE[TaskState.FAILED]
    here, there = TaskRuns(ledger)
    assert here.traceback.endswith("ValueError: here\n") and "test_records" in here.traceback
    assert there.traceback == "Traceback from there"


def test_the_result_of_a_run_that_is_not_over_cannot_be_had():
    """Nor of one that was cancelled."""
    run = FlowRun(id="x", flow="f", executor="e", task_runs=TaskRuns(Ledger([], [])))
    with pytest.raises(RunError, match="not over"):
        _ = run.result
    run.end(RunState.CANCELLED, error=RunCancelledError("interrupted"))
    with pytest.raises(RunCancelledError):
        _ = run.result
    assert not run.ok


def test_a_result_that_is_there_can_be_had_though_the_run_failed():
    """When the failure is of a task that was not returned."""

    @flow
    def partly():
        fails(2)
        return same(1)

    run = partly.run(executor="local")
    assert run.state is RunState.FAILED and run.result == 1
    assert str(run.error) == "fails is Failed: ValueError: two"


def test_a_failure_that_was_dealt_with_does_not_fail_the_run():
    """Only what was returned and what nothing follows decides."""

    @task(trigger="any_failed")
    def handle(error):
        return f"handled {error}"

    run = flow(lambda: handle(fails(2))).run(executor="local")
    assert run.ok and run.result == "handled two"


def test_states_know_whether_they_are_over_and_whether_they_are_bad():
    """Skipped and cached are no failures; cancelled is one."""
    assert {state for state in TaskState if not state.finished} == {"Pending", "Running", "Retrying"}
    assert {state for state in TaskState if state.failed} == {
        "Failed",
        "TimedOut",
        "Crashed",
        "TriggerFailed",
        "Cancelled",
    }
