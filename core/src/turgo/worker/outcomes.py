"""What a worker reports of the calls of a batch, by name.

    Report ── stamp      where and when the batch began; None: it could not be opened, and `outcomes` is the failure
           ├─ outcomes   one for each piece: CallOutcome | MapOutcome | None (not executed, as an earlier one failed)
           └─ lines      what the calls logged; see `logs`

A batch that takes much longer than expected stops between two calls: the last MapOutcome then has fewer elements than
its piece, and there are fewer outcomes than pieces. The driver submits the rest again.

Between processes an outcome is a row of builtins, as a worker without turgo has no class that the driver knows.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

UNCHANGING = frozenset({int, float, complex, bool, str, bytes, type(None)})
"""Types of values that nobody can change in place."""


class CallFailure(NamedTuple):
    """Why a call has no value.

    state: the name of a TaskState. error: an exception, or after a journey what `pickles` made of it. traceback: its
    text, or "" where the exception itself still has its frames.
    """

    state: str
    error: Any
    traceback: str


class CallOutcome(NamedTuple):
    """What came of one call. failure: None if it has a value. began, ended: readings of the clock, in seconds."""

    value: Any
    failure: CallFailure | None
    began: float
    ended: float


class MapOutcome(NamedTuple):
    """What came of the elements of a piece, in their order.

    failures: by offset; None for one that was not executed. began, ends: readings of the clock, in seconds; elements
    with the same end were timed together, and took an equal part of it each.
    """

    values: list[Any]
    failures: dict[int, CallFailure | None]
    began: float
    ends: array[float]


class Going(NamedTuple):
    """What will be a MapOutcome, while the elements run. Another thread may read it, and arrays do not bear that.

    readings: of the clock, in seconds. counts: how many elements had ended at each since the one before; empty: one.
    """

    values: list[Any]
    failures: dict[int, CallFailure | None]
    began: float
    readings: list[float]
    counts: list[int]

    def ends(self, over: int, now: float) -> array[float]:
        """The reading for each of the first `over` elements; `now` for those that have none yet."""
        if self.counts:
            ends = array("d")
            for count, reading in zip(self.counts[:], self.readings[:], strict=False):
                ends += array("d", (reading,)) * count
        else:
            ends = array("d", self.readings[:])
        del ends[over:]
        ends += array("d", (now,)) * (over - len(ends))
        return ends


class Report(NamedTuple):
    """What came of a batch. stamp: `(worker, wall clock, monotonic clock)` as it began, in seconds."""

    stamp: Any
    outcomes: Any
    lines: Any


Outcome = CallOutcome | MapOutcome | None

CALL_ROW, MAP_ROW = range(2)
"""The kinds of a row."""

Row = tuple[Any, ...] | None


def row_of(outcome: Outcome) -> Row:
    """An outcome as builtins."""
    if outcome is None:
        return None
    if isinstance(outcome, CallOutcome):
        value, failure, began, ended = outcome
        return CALL_ROW, value, failure and tuple(failure), began, ended
    values, failures, *times = outcome
    return MAP_ROW, values, {at: each and tuple(each) for at, each in failures.items()}, *times


def outcomes_of(rows: Iterable[Row]) -> list[Outcome]:
    """The outcomes that rows stand for."""
    kinds: dict[int, Callable[..., Outcome]] = {CALL_ROW: _call_outcome, MAP_ROW: _map_outcome}
    return [None if row is None else kinds[row[0]](*row[1:]) for row in rows]


def _call_outcome(value: Any, failure: tuple[Any, ...] | None, began: float, ended: float) -> CallOutcome:
    return CallOutcome(value, None if failure is None else CallFailure(*failure), began, ended)


def _map_outcome(values: list[Any], failures: dict[int, Any], began: float, ends: array[float]) -> MapOutcome:
    return MapOutcome(values, {at: each and CallFailure(*each) for at, each in failures.items()}, began, ends)


def is_complete(outcome: Outcome) -> bool:
    """Whether every call of an outcome has a value."""
    if outcome is None:
        return False
    return outcome.failure is None if type(outcome) is CallOutcome else not outcome.failures  # type: ignore[union-attr]


def without_value(outcome: Outcome) -> Outcome:
    """An outcome whose values nobody needs."""
    return outcome and outcome._replace(**{type(outcome)._fields[0]: None})  # type: ignore[arg-type]
