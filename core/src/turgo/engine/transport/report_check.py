"""Checks that what came back for a batch is a report of it, before anything of it is believed.

Reports come from other processes, and by way of executors that are not ours. One that is none fails the calls of its
batch with an error that says so, and does not end the run.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from turgo.errors import ExecutorError
from turgo.records.states import TaskState
from turgo.worker.batch import BatchPiece
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome, Report
from turgo.worker.output.lines import Line

_STATES = frozenset(map(str, TaskState))


def checked(report: Any, pieces: Sequence[BatchPiece]) -> Report | BaseException:
    """A report of the calls of some pieces, or the error that came in its place; an error for what is neither."""
    if isinstance(report, BaseException):
        return report
    try:
        _check(report, pieces)
    except (ValueError, TypeError, AttributeError) as error:
        return ExecutorError(f"what came back for a batch is no report of it: {error}")
    return report  # type: ignore[no-any-return]


def _check(report: Any, pieces: Sequence[BatchPiece]) -> None:
    if type(report) is not Report:
        raise TypeError(f"it is of type {type(report).__name__}")
    worker, *clocks = report.stamp
    _expect(type(worker) is str and len(clocks) == 2 and _are_times(*clocks), "its stamp is none")
    _expect(len(report.outcomes) <= len(pieces), "it has more outcomes than there were calls")
    for piece, outcome in zip(pieces, report.outcomes, strict=False):
        if outcome is not None:
            _check_outcome(outcome, piece)
    fields = len(Line._fields)
    _expect(
        all(type(each) is tuple and len(each) == fields for each in report.lines), "its log lines are none"
    )


def _check_outcome(outcome: Any, piece: BatchPiece) -> None:
    mapped = piece.columns is not None
    if type(outcome) is CallOutcome:
        _expect(not mapped and _are_times(outcome.began, outcome.ended), "an outcome is that of another call")
        if outcome.failure is not None:
            _check_failure(outcome.failure)
        return
    _expect(type(outcome) is MapOutcome and mapped, "an outcome is that of other calls")
    ends, values = outcome.ends, outcome.values
    _expect(type(ends) is array and ends.typecode == "d" and _are_times(outcome.began), "its times are none")
    _expect(0 < len(ends) <= piece.high - piece.low, "it has another number of elements")
    _expect(
        values is None or (type(values) is list and len(values) == len(ends)),
        "it has another number of values",
    )
    for offset, failure in outcome.failures.items():
        _expect(type(offset) is int and 0 <= offset < len(ends), "a failure is that of no element")
        if failure is not None:
            _check_failure(failure)


def _check_failure(failure: CallFailure) -> None:
    state, error, text = failure
    _expect(state in _STATES and type(text) is str, "a failure is none")
    if not isinstance(error, BaseException):
        type_name, message, bases, blob = error
        _expect(
            type(type_name) is str and type(message) is str and isinstance(bases, tuple), "an error is none"
        )
        _expect(blob is None or type(blob) is bytes, "an error is none")


def _are_times(*times: Any) -> bool:
    return all(type(each) is float for each in times)


def _expect(true: bool, else_: str) -> None:
    if not true:
        raise ValueError(else_)
