"""The ledger: what is known of a run, in columns."""

from array import array

from turgo.records.ledger import Failure, Ledger, MappedColumns, Span, Stamp
from turgo.records.states import CODE, TaskState
from turgo.records.task_runs import TaskRuns


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
    assert here.traceback.endswith("ValueError: here\n") and "test_ledger" in here.traceback
    assert there.traceback == "Traceback from there"
