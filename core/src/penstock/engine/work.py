"""What runs on the worker: executes a batch of calls in order and returns what came of each.

Nothing here raises for a failure of a call, and nothing is needed but the standard library: neither here nor in the
modules that this one is made of: `batch`, `spreading` (the calls of mapped steps), `calling`, `failing`, `capture`,
`printing`, `portable`, `templates` … So they may be shipped by value to workers that have no penstock.

What comes back, the report, is `(stamp, outcomes, logs)` with one outcome for each piece of the batch:

    one call      (True, value, began, ended) | (False, failure, began, ended) | None: not run, as an earlier one failed
    elements      (began, values, ends, failures): `failures` maps an offset to its failure, or to None: not run;
                  elements with the same end were timed together, and took an equal part of it each

A batch that takes much longer than was thought stops between two calls: the last outcome is then of fewer elements
than its piece has, there are fewer outcomes than pieces, and what is not told of goes elsewhere.

A failure is `(state, error, traceback text)`. Times are readings of the worker's monotonic clock, in seconds; the stamp
`(worker, wall, clock)` says what the wall clock read at the start.
"""

from __future__ import annotations

import os
import socket
import threading
import traceback
from collections.abc import Sequence
from functools import lru_cache
from time import perf_counter as monotonic_clock  # bound here, so that a task may replace those of the module
from time import time as wall_clock
from typing import Any

from penstock.engine.batch import HALTED, Batch, unpack
from penstock.engine.capture import captured_logs
from penstock.engine.carried import Parcel
from penstock.engine.failing import PASSING, failure, not_a_value
from penstock.engine.keeping import REPORT, Kept, put_in_place, set_aside
from penstock.engine.portable import pack, pack_error
from penstock.engine.spreading import filled, run_elements
from penstock.flows.templates import CONSTANTS, RESULTS


def execute(batch: Batch | Parcel, kepts: Sequence[Kept] = ()) -> Any:
    """Run the calls of a batch one after the other; return the report, packed if the batch crossed processes.

    A parcel that cannot be opened, since a module is missing here, has as its report the error alone.
    kepts: where the large values are that the batch reads; see `keeping`.
    """
    opened = _opened(batch, kepts)
    if not isinstance(opened, Batch):
        return opened
    stamp, outcomes, lines = _made(opened)
    if not opened.crossed:
        return stamp, outcomes, lines
    return pack((stamp, outcomes, lines), slim=_without_inner_values(opened), carrier=opened.carrier)


def execute_keeping(batch: Batch | Parcel, kepts: Sequence[Kept], least: int) -> Any:
    """Run a batch as `execute` does, and keep values of at least so many bytes here; see `keeping`.

    Returns a kept, or the report if there are no such values. It does not stop early: should it be made again, since
    its worker was lost, it has to bring as many values.
    """
    opened = _opened(batch, kepts)
    if not isinstance(opened, Batch):
        return opened
    opened.fail_fast = False
    if opened.limit != HALTED:
        opened.limit = float("inf")
    stamp, outcomes, lines = _made(opened)
    made = _without_inner_values(opened) if opened.crossed else outcomes
    left, known, kept = set_aside(made, least, opened.carrier)
    report: Any = (stamp, left, lines)
    if opened.crossed:
        report = pack(report, carrier=opened.carrier)
    return {REPORT: (report, known), **kept} if known else report


def _opened(batch: Batch | Parcel, kepts: Sequence[Kept]) -> Batch | bytes:
    """The batch with all that it reads; or why it cannot be opened here, as a report."""
    try:
        opened = unpack(batch) if isinstance(batch, Parcel) else batch
        if opened.reads:
            put_in_place(opened.given, opened.pieces, opened.reads, kepts)
    except BaseException as error:
        error = _located(error)
        return pack_error(("Failed", error, "".join(traceback.format_exception(error))))
    return opened


def _located(error: BaseException) -> BaseException:
    """What keeps a batch from being opened; of a module that is missing it says where it is missing."""
    if not isinstance(error, ImportError) or type(error) not in (ImportError, ModuleNotFoundError):
        return error
    return type(error)(f"{error} (on the worker {_worker_name()})", name=error.name, path=error.path)


def _made(batch: Batch) -> tuple[Any, list[Any], Any]:
    """The report of a batch, after its calls were made."""
    batch.stamp = (_worker_name(), wall_clock(), monotonic_clock())
    with captured_logs(batch) as logs:
        _run(batch)
    return batch.stamp, batch.outcomes, logs.lines


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
    start = clock()
    failed: set[int] = set()
    missing: dict[int, Any] = {}
    for step, call, _, _, columns in batch.pieces:
        began = clock()
        if began - start > batch.limit and (outcomes or batch.limit == HALTED):
            return
        if columns is not None:
            outcome = run_elements(batch, step, call, columns, local, missing, start)
            local[step.id] = list(outcome[1])  # a call that sorts what it is given sorts its own
            if outcome[3]:
                failed.add(step.id)
                missing[step.id] = outcome[3]
            outcomes.append(outcome)
            batch.current = None
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
                args, kwargs = filled(step, local, source)
                value = call(*args, **kwargs)
        except BaseException as error:
            failed.add(step.id)
            outcomes.append((False, failure(batch, error), began, clock()))
        else:
            if type(value) in PASSING:
                failed.add(step.id)
                outcomes.append((False, not_a_value(batch.name_of(step), value), began, clock()))
                continue
            local[step.id] = value
            outcomes.append((True, value, began, clock()))


@lru_cache(maxsize=1)
def _host() -> str:
    return socket.gethostname()


def _process() -> str:
    return f"{_host()}:{os.getpid()}"


def is_here(worker: str) -> bool:
    """Whether a worker of that name is a thread of this process."""
    return worker.partition("/")[0] == _process()


def _worker_name() -> str:
    thread = threading.current_thread()
    name = _process()
    return name if thread is threading.main_thread() else f"{name}/{thread.name}"
