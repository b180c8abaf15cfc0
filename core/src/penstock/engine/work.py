"""What runs on the worker: executes a batch of calls in order and returns what came of each.

Nothing here raises for a failure of a call, and nothing is needed but the standard library: neither here nor in the
modules `calling`, `capture`, `portable` and `templates` that this one is made of. So an executor may ship them by value
to workers that have no penstock.

A batch is a list of pieces `(step, call, low, high, columns)`. A piece without columns is one call; one with columns
is the calls of elements `low` to `high` of a mapped step. What comes back, the report, is `(stamp, outcomes, logs)`
with one outcome for each piece:

    one call      (True, value, began, ended) | (False, failure, began, ended) | None: not run, as an earlier one failed
    elements      (began, values, ends, failures): `failures` maps an offset to its failure, or to None: not run

A batch that takes much longer than was thought stops between two calls: the last outcome is then of fewer elements
than its piece has, there are fewer outcomes than pieces, and what is not told of goes elsewhere.

A failure is `(state, error, traceback text)`. Times are readings of the worker's monotonic clock, in seconds; the stamp
`(worker, wall, clock)` says what the wall clock read at the start.
"""

from __future__ import annotations

import os
import pickle
import socket
import threading
import traceback
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from time import perf_counter as monotonic_clock  # bound here, so that a task may replace those of the module
from time import time as wall_clock
from typing import Any

from penstock.engine.calling import Call, Expired, prepare
from penstock.engine.capture import captured_logs
from penstock.engine.portable import Parcel, pack, pack_error
from penstock.flows.templates import CONSTANTS, RESULTS, fill


class Step:
    """The part of a node that a worker needs."""

    __slots__ = ("args", "depends", "id", "inner", "kwargs", "plan", "spread")

    def __init__(
        self, id: int, plan: int, args: Any, kwargs: Any, depends: Any, spread: Any, inner: bool = False
    ) -> None:
        self.id = id
        self.plan = plan
        self.args = args
        self.kwargs = kwargs
        self.depends = depends
        self.spread = spread
        self.inner = inner  # nothing outside of the batch needs its value


LIMIT = 0.5
"""Seconds after which a batch begins no further call, so that other workers can have the rest of it."""


class Batch:
    """Calls that travel together.

    pieces: see the top of the module; given: values that the calls read, by node; source: where else to read them.
    outcomes: filled in as the calls end, so that an interrupted batch can tell how far it came.
    current: the values of the elements that run now, None while a single call does.
    crossed: whether it came here from another process, so that what it returns has to be packed.
    limit: seconds after which it begins no further call.
    abandoned: whether the run is cut short, so that what ends a call is meant for the whole batch.
    """

    crossed = False
    abandoned = False
    limit = LIMIT

    def __init__(self, pieces: Sequence[Any], given: dict[int, Any], source: Sequence[Any] = ()) -> None:
        self.pieces = pieces
        self.given = given
        self.source = source
        self.outcomes: list[Any] = []
        self.stamp: Any = None
        self.current: list[Any] | None = None


def execute(batch: Batch | Parcel) -> Any:
    """Run the calls of a batch one after the other; return the report, packed if the batch crossed processes.

    A parcel that cannot be opened, since a module is missing here, has as its report the error alone.
    """
    if isinstance(batch, Parcel):
        try:
            batch = unpack(batch)
        except BaseException as error:
            return pack_error(("Failed", error, "".join(traceback.format_exception(error))))
    batch.stamp = (_worker_name(), wall_clock(), monotonic_clock())
    with captured_logs(batch) as logs:
        _run(batch)
    if not batch.crossed:
        return batch.stamp, batch.outcomes, logs.lines
    return pack((batch.stamp, batch.outcomes, logs.lines), slim=_without_inner_values(batch))


def _without_inner_values(batch: Batch) -> list[Any]:
    """The outcomes, without values that were used up within the batch; all of them if anything has to be done again."""
    outcomes = batch.outcomes
    if _cut_short(batch):
        return outcomes
    if any(each is None or each[0] is False or (each[0] is not True and each[3]) for each in outcomes):
        return outcomes
    return [
        outcome if not piece[0].inner else (*outcome[:1], None, *outcome[2:])
        for piece, outcome in zip(batch.pieces, outcomes, strict=True)
    ]


def _cut_short(batch: Batch) -> bool:
    """Whether it stopped before all of its calls were made."""
    low, high = batch.pieces[-1][2:4]
    return len(batch.outcomes) < len(batch.pieces) or (low >= 0 and len(batch.outcomes[-1][2]) < high - low)


def _run(batch: Batch) -> None:
    local = dict(batch.given)
    source, outcomes, clock = batch.source, batch.outcomes, monotonic_clock
    until = clock() + batch.limit
    failed: set[int] = set()
    missing: dict[int, Any] = {}
    for step, call, low, high, columns in batch.pieces:
        began = clock()
        if began > until and outcomes:
            return
        if columns is not None:
            outcome = _run_elements(batch, step, call, high - low, columns, local, missing, until)
            batch.current = None
            local[step.id] = list(outcome[1])  # a call that sorts what it is given sorts its own
            if outcome[3]:
                failed.add(step.id)
                missing[step.id] = outcome[3]
            outcomes.append(outcome)
            continue
        if failed and not failed.isdisjoint(step.depends):
            failed.add(step.id)
            outcomes.append(None)
            continue
        try:
            if step.plan == RESULTS:
                value = call(*[local[id] if id in local else source[id] for id in step.args])
            elif step.plan == CONSTANTS:
                value = call(*step.args, **step.kwargs)
            else:
                args, kwargs = _filled(step, local, source)
                value = call(*args, **kwargs)
        except BaseException as error:
            failed.add(step.id)
            outcomes.append((False, _failure(batch, error), began, clock()))
        else:
            local[step.id] = value
            outcomes.append((True, value, began, clock()))


def _reading(local: dict[int, Any], source: Sequence[Any]) -> Callable[[int], Any]:
    """What gives the value of a node: one made or given in this batch, else one of the source."""

    def value_of(id: int) -> Any:
        return local[id] if id in local else source[id]

    return value_of


def _filled(step: Any, local: dict[int, Any], source: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    value_of = _reading(local, source)
    args = [fill(template, value_of) for template in step.args]
    return args, {name: fill(template, value_of) for name, template in step.kwargs.items()}


def _run_elements(
    batch: Batch,
    step: Any,
    call: Call,
    count: int,
    columns: Sequence[Any],
    local: dict[int, Any],
    missing: dict[int, Any],
    until: float,
) -> tuple[float, list[Any], array[float], dict[int, Any]]:
    """Run a mapped step over its columns; a column that is a number is what that step made in this batch."""
    clock = monotonic_clock
    values: list[Any] = []
    batch.current = values
    ends = array("d")
    failures: dict[int, Any] = {}
    spread = [local[column] if type(column) is int else column for column in columns]
    absent = {offset for column in columns if type(column) is int for offset in missing.get(column, ())}
    add, mark = values.append, ends.append
    began = clock()
    if len(step.args) == 1 and not step.kwargs and not absent:
        _run_simple(batch, call, spread[0], values, ends, failures, until)
        return began, values, ends, failures
    for offset, arguments in enumerate(_arguments(step, spread, count, local, batch.source)):
        if offset in absent:
            failures[offset] = None
            add(None)
        else:
            try:
                add(call(*arguments[0], **arguments[1]))
            except BaseException as error:
                failures[offset] = _failure(batch, error)
                add(None)
        now = clock()
        mark(now)
        if now > until:
            break
    return began, values, ends, failures


def _run_simple(
    batch: Batch,
    call: Call,
    elements: Iterable[Any],
    values: list[Any],
    ends: array[float],
    failures: dict[int, Any],
    until: float,
) -> None:
    """The commonest form, each element the one argument of its call, with nothing else done for a call."""
    add, mark, clock = values.append, ends.append, monotonic_clock
    for element in elements:
        try:
            add(call(element))
        except BaseException as error:
            failures[len(values)] = _failure(batch, error)
            add(None)
        now = clock()
        mark(now)
        if now > until:
            return


def _arguments(
    step: Any, spread: list[Any], count: int, local: dict[int, Any], source: Sequence[Any]
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


def _failure(batch: Batch, error: BaseException) -> tuple[str, BaseException, str]:
    """What is told of an error. What cuts the run short, as Ctrl-C, is not the call's failure, and goes on."""
    own_thread = threading.current_thread() is threading.main_thread() and not batch.crossed
    if batch.abandoned or (isinstance(error, KeyboardInterrupt) and own_thread):
        raise error
    if isinstance(error, Expired):
        return ("TimedOut", error, "")
    here = _failure.__code__.co_filename
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == here:
        frames = frames.tb_next
    error = error.with_traceback(frames)
    state = "Skipped" if _is_skip(error) else "Failed"
    return (state, error, "".join(traceback.format_exception(error)) if batch.crossed else "")


def _is_skip(error: BaseException) -> bool:
    return any(cls.__name__ == "Skip" and cls.__module__ == "penstock.errors" for cls in type(error).__mro__)


@lru_cache(maxsize=1)
def _host() -> str:
    return socket.gethostname()


def _worker_name() -> str:
    thread = threading.current_thread()
    name = f"{_host()}:{os.getpid()}"
    return name if thread is threading.main_thread() else f"{name}/{thread.name}"


@lru_cache(maxsize=256)
def load_call(blob: bytes) -> Call:
    """The prepared function of a task, unpickled once for each worker process."""
    fn, timeout = pickle.loads(blob)
    return prepare(fn, timeout)


def unpack(parcel: Parcel) -> Batch:
    """The batch that the driver packed; opened here and nowhere before, so that what fails then is an outcome."""
    steps, calls, given = parcel.open()
    pieces = [
        (Step(*parts), load_call(calls[number]), low, high, columns)
        for parts, number, low, high, columns in steps
    ]
    batch = Batch(pieces, given)
    batch.crossed = True
    return batch
