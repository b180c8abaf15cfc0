"""What comes back for a batch and is no report of it: the error of its calls, and no end of the run."""

import pickle
from array import array
from concurrent.futures import Future
from typing import Any

import pytest

from turgo import Executor, flow, task
from turgo.engine.transport.report import failure_from, open_report
from turgo.engine.transport.report_check import checked
from turgo.errors import ExecutorError, TaskError
from turgo.records.states import TaskState
from turgo.worker.batch import BatchPiece
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome, Report

STAMP = ("host/1", 1e9, 5.0)
ONE, THREE = BatchPiece(None, None, -1, -1, None), BatchPiece(None, None, 4, 7, [range(3)])
VALUE = CallOutcome(1, None, 5.0, 6.0)
ELEMENTS = MapOutcome([1, 2, 3], {}, 5.0, array("d", (5.0, 5.5, 6.0)))


def test_a_report_is_taken() -> None:
    """Also one of a batch that was cut short, and one whose values nobody needs."""
    for outcomes in ([VALUE, ELEMENTS], [VALUE], [None, ELEMENTS._replace(values=None)], []):
        report = Report(STAMP, outcomes, [])
        assert checked(report, [ONE, THREE]) is report
    error = ValueError("why there is none")
    assert checked(error, [ONE]) is error


@pytest.mark.parametrize(
    "report",
    [
        None,
        7,
        Report(("host/1", 1e9), [VALUE], []),
        Report((1, 1e9, 5.0), [VALUE], []),
        Report(STAMP, [VALUE, ELEMENTS, VALUE], []),
        Report(STAMP, [ELEMENTS, VALUE], []),
        Report(STAMP, [VALUE._replace(ended=None)], []),
        Report(STAMP, [VALUE._replace(failure=CallFailure("Lost", ValueError(), ""))], []),
        Report(STAMP, [VALUE._replace(failure=CallFailure("Failed", ("a",), ""))], []),
        Report(STAMP, [VALUE, ELEMENTS._replace(values=[1])], []),
        Report(STAMP, [VALUE, ELEMENTS._replace(ends=[5.0, 5.5, 6.0])], []),
        Report(STAMP, [VALUE, ELEMENTS._replace(ends=array("d"))], []),
        Report(STAMP, [VALUE, ELEMENTS._replace(failures={9: None})], []),
        Report(STAMP, [VALUE], [("a", "line")]),
    ],
)
def test_what_is_none_is_an_error(report: Any) -> None:
    """In one sentence."""
    found = checked(report, [ONE, THREE])
    assert isinstance(found, ExecutorError) and "is no report of it: " in str(found)


@pytest.mark.parametrize(
    "rows", [None, 5, (None, 5, ()), (None, ("Failed", ("a",), ""), ()), (STAMP, [(9, 1)], ())]
)
def test_bytes_that_are_none_are_an_error_too(rows: Any) -> None:
    """Whatever was pickled."""
    assert isinstance(checked(open_report(pickle.dumps(rows)), [ONE]), Exception)


def test_an_error_whose_pickle_is_none_is_told_by_its_words() -> None:
    """Whatever is in the place of the error itself."""
    failure = CallFailure("Failed", ("builtins.ValueError", "no", (), pickle.dumps(5)), "")
    error = failure_from(failure, double).error
    assert isinstance(error, TaskError) and str(error) == str(
        TaskError("no", type_name="builtins.ValueError")
    )


class Forgetful(Executor):
    """Loses what its calls return, as one may that has a bug."""

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        future: Future[Any] = Future()
        future.set_result(None)
        return future


@task
def double(number: int) -> int:
    return 2 * number


def test_an_executor_that_loses_reports_fails_their_calls() -> None:
    """With a sentence that says what came; it was an error within the engine."""
    run = flow(lambda: double(4)).run(executor=Forgetful())
    assert not run.ok and run.task_runs[0].state in (TaskState.FAILED, TaskState.CRASHED)
    assert "what came back for a batch is no report of it: it is of type NoneType" in str(
        run.task_runs[0].error
    )
