"""Executes the calls of a mapped step. There is one for each element of its columns.

Quick calls are timed together: reading a clock takes longer than they do. A handful of them shares one reading, and
each counts as an equal part of that time; see `records.ledger`. A task that turns slow is noticed at the end of the
handful that it turned slow in: a handful grows slowly, and is at most an eighth of the calls that are left, so that
nearly all of the slow ones can still go elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import countOf
from typing import Any

from turgo.worker.arguments import arguments
from turgo.worker.call import Call
from turgo.worker.failures import PASSING, failure, not_a_value
from turgo.worker.outcomes import Going, MapOutcome, Outcome

HANDFUL_CALLS = 64
"""How many quick calls are timed together, at most."""

QUICK_SECONDS = 50e-6
"""Seconds. Calls that took longer together are timed one by one from there on."""

FIRST_HANDFUL_SHARE = 1 / 400
"""The first handful is that share of a batch, which has a hundred times as many calls as were seen, at most."""


def run_elements(
    batch: Any, piece: Any, local: dict[int, Any], missing: dict[int, Any], start: float
) -> MapOutcome:
    """Execute a mapped step over its columns; a column that is a number is what that step made in this batch.

    missing: for steps of this batch, the offsets of the elements that have no value. start: when the batch began.
    """
    step, columns = piece.step, piece.columns
    spread = [local[column] if type(column) is int else column for column in columns]
    absent = {offset for column in columns if type(column) is int for offset in missing.get(column, ())}
    going = batch.current = Going([], {}, batch.clock(), [], [])
    try:
        if len(step.args) == 1 and not step.kwargs and not absent:
            _run_simple(batch, piece.call, spread[0], going, start)
        else:
            made = arguments(step, spread, local, batch.source)
            _run_general(batch, piece.call, made, absent, going, start)
    except BaseException:  # the run is cut short: the calls that are over stay over
        outcome = batch.current = _outcome(going, batch.clock())
        batch.outcomes.append(outcome)
        raise
    outcome = batch.current = _outcome(going, going.began)
    _only_values(batch, step, outcome)
    return outcome


def _outcome(going: Going, now: float) -> MapOutcome:
    """What came of the elements. now: when those of them ended that were over before the clock was read again."""
    values, failures = going.values, going.failures
    return MapOutcome(values, failures, going.began, going.ends(len(values), now))


def so_far(batch: Any) -> list[Outcome]:
    """The outcomes of a batch that may run in another thread meanwhile; the last one of elements that are over."""
    current, outcomes = batch.current, list(batch.outcomes)
    if current is None or any(getattr(each, "values", None) is current.values for each in outcomes):
        return outcomes
    values = current.values[:]
    ends = current.ends(len(values), batch.clock()) if isinstance(current, Going) else current.ends[:]
    failures = {offset: failed for offset, failed in current.failures.copy().items() if offset < len(values)}
    partial = MapOutcome(values, failures, current.began, ends)
    _only_values(batch, batch.pieces[len(outcomes)].step, partial)
    return [*outcomes, partial]


def _only_values(batch: Any, step: Any, outcome: MapOutcome) -> None:
    """Make failures of what is no value."""
    values, failures = outcome.values, outcome.failures
    if not _are_values(values):
        for offset, value in enumerate(values):
            if type(value) in PASSING:
                values[offset], failures[offset] = None, not_a_value(batch.name_of(step), value)


def _are_values(values: list[Any]) -> bool:
    """Whether none of them is of a type in PASSING. That all are of one type is seen the quickest."""
    kind = type(values[0]) if values else None
    if kind not in PASSING and countOf(map(type, values), kind) == len(values):
        return True
    return PASSING.isdisjoint(map(type, values))


def _run_simple(
    batch: Any,
    call: Call,
    elements: Sequence[Any],
    going: Going,
    start: float,
) -> None:
    """The commonest form, each element the one argument of its call, with nothing else done for a call."""
    values, failures = going.values, going.failures
    add, clock, mark, counted = values.append, batch.clock, going.readings.append, going.counts.append
    done, count = 0, len(elements)
    handful = 1 + int(count * FIRST_HANDFUL_SHARE)
    now = before = clock()
    while done < count:
        handful = min(handful, HANDFUL_CALLS, 1 + (count - done) // 8)
        ahead = batch.ahead = list(elements[done : done + handful])
        if done and now - start > batch.limit:  # whoever halts the batch from here on empties `ahead`
            return
        try:
            for element in ahead:
                add(call(element))
        except BaseException as error:  # noqa: BLE001  (it is the call's failure)
            failures[len(values)] = failure(batch, error)
            add(None)
        now = clock()
        counted(len(values) - done)
        mark(now)  # after its count: another thread may look between the two
        done = len(values)
        handful = 1 if now - before > QUICK_SECONDS else handful + handful // 4 + 1
        before = now


def _run_general(
    batch: Any,
    call: Call,
    arguments: Iterator[tuple[Sequence[Any], dict[str, Any]]],
    absent: set[int],
    going: Going,
    start: float,
) -> None:
    """Any other form; elements in `absent` are not executed, as what they follow has no value."""
    values, failures = going.values, going.failures
    add, clock, mark = values.append, batch.clock, going.readings.append
    for offset, (args, kwargs) in enumerate(arguments):
        if offset in absent:
            failures[offset] = None
            add(None)
        else:
            try:
                add(call(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001  (it is the call's failure)
                failures[offset] = failure(batch, error)
                add(None)
        now = clock()
        mark(now)
        if now - start > batch.limit:
            return
