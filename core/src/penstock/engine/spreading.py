"""How a worker makes the calls of a mapped step, one for each element of its columns.

Quick calls are timed together: reading a clock takes longer than they do. A handful of them shares one reading, and
each counts as an equal part of that time; see `penstock.ledger`. A task that turns slow is noticed at the end of the
handful that it turned slow in: a handful grows slowly, and is at most an eighth of the calls that are left, so that
nearly all of the slow ones can still go elsewhere. Needs nothing but the standard library; see `work`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from operator import countOf
from time import perf_counter as monotonic_clock  # bound here, so that a task may replace that of the module
from typing import Any

from penstock.engine.calling import Call
from penstock.engine.failing import PASSING, failure, not_a_value
from penstock.flows.templates import fill

HANDFUL = 64
"""How many quick calls are timed together, at most."""

QUICK = 50e-6
"""Seconds. Calls that took longer together are timed one by one from there on."""

KNOWN = 400
"""The first handful is such a part of a batch, which has a hundred times as many calls as were seen, at most."""

Outcome = tuple[float, list[Any], "array[float]", dict[int, Any]]


def filled(step: Any, local: dict[int, Any], source: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a single call, from the templates of its step."""
    value_of = _reading(local, source)
    args = [fill(template, value_of) for template in step.args]
    return args, {name: fill(template, value_of) for name, template in step.kwargs.items()}


def run_elements(
    batch: Any,
    step: Any,
    call: Call,
    columns: Sequence[Any],
    local: dict[int, Any],
    missing: dict[int, Any],
    start: float,
) -> Outcome:
    """Run a mapped step over its columns; a column that is a number is what that step made in this batch.

    missing: for steps of this batch, the offsets of the elements that brought no value. start: when the batch began.
    """
    spread = [local[column] if type(column) is int else column for column in columns]
    absent = {offset for column in columns if type(column) is int for offset in missing.get(column, ())}
    values: list[Any] = []
    ends, failures = array("d"), dict[int, Any]()
    outcome = batch.current = monotonic_clock(), values, ends, failures
    try:
        if len(step.args) == 1 and not step.kwargs and not absent:
            _run_simple(batch, call, spread[0], values, ends, failures, start)
        else:
            made = arguments(step, spread, local, batch.source)
            _run_general(batch, call, made, absent, values, ends, failures, start)
    except BaseException:  # the run is cut short: what was over stays over
        ends.extend([monotonic_clock()] * (len(values) - len(ends)))
        batch.outcomes.append(outcome)
        raise
    _only_values(batch, step, values, failures)
    return outcome


def so_far(batch: Any) -> list[Outcome]:
    """The outcomes of a batch that may run in another thread meanwhile; the last one of elements that are over."""
    current, outcomes = batch.current, list(batch.outcomes)
    if current is None or any(each is current for each in outcomes):
        return outcomes
    began, values, ends, failures = current[0], current[1][:], current[2][:], current[3].copy()
    ends = ends[: len(values)]
    ends.extend([monotonic_clock()] * (len(values) - len(ends)))
    failures = {offset: told for offset, told in failures.items() if offset < len(values)}
    _only_values(batch, batch.pieces[len(outcomes)][0], values, failures)
    return [*outcomes, (began, values, ends, failures)]


def _only_values(batch: Any, step: Any, values: list[Any], failures: dict[int, Any]) -> None:
    """Make failures of what is no value."""
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
    values: list[Any],
    ends: array[float],
    failures: dict[int, Any],
    start: float,
) -> None:
    """The commonest form, each element the one argument of its call, with nothing else done for a call."""
    add, clock, end = values.append, monotonic_clock, array("d", (0.0,))
    done, count = 0, len(elements)
    handful = 1 + count // KNOWN
    now = before = clock()
    while done < count:
        handful = min(handful, HANDFUL, 1 + (count - done) // 8)
        ahead = batch.ahead = list(elements[done : done + handful])
        if done and now - start > batch.limit:  # whoever halts the batch from here on empties `ahead`
            return
        try:
            for element in ahead:
                add(call(element))
        except BaseException as error:  # noqa: BLE001  (it is the call's failure)
            failures[len(values)] = failure(batch, error)
            add(None)
        now = end[0] = clock()
        ends += end * (len(values) - done)
        done = len(values)
        handful = 1 if now - before > QUICK else handful + handful // 4 + 1
        before = now


def _run_general(
    batch: Any,
    call: Call,
    arguments: Iterator[tuple[Sequence[Any], dict[str, Any]]],
    absent: set[int],
    values: list[Any],
    ends: array[float],
    failures: dict[int, Any],
    start: float,
) -> None:
    """Any other form; elements in `absent` are not run, as what they follow brought no value."""
    add, clock, mark = values.append, monotonic_clock, ends.append
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


def _reading(local: dict[int, Any], source: Sequence[Any]) -> Callable[[int], Any]:
    """What gives the value of a node: one made or given in this batch, else one of the source."""

    def value_of(id: int) -> Any:
        return local[id] if id in local else source[id]

    return value_of


def arguments(
    step: Any, spread: list[Any], local: dict[int, Any], source: Sequence[Any]
) -> Iterator[tuple[Sequence[Any], dict[str, Any]]]:
    """The arguments of each element: the spread ones put among those that are the same for all."""
    if not step.kwargs and len(step.spread) == len(step.args):
        yield from ((items, {}) for items in zip(*spread, strict=False))
        return
    whole = {
        place: template
        for place, template in [*enumerate(step.args), *step.kwargs.items()]
        if place not in step.spread
    }

    value_of = _reading(local, source)
    fixed = {place: fill(template, value_of) for place, template in whole.items()}
    for items in zip(*spread, strict=False):
        placed = fixed | dict(zip(step.spread, items, strict=True))
        yield [placed[at] for at in range(len(step.args))], {name: placed[name] for name in step.kwargs}
