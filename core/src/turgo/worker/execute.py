"""Executes the calls of a batch in order and reports each outcome.

    Payload ── unpack ──> Batch ── calls, one after the other ──> outcomes ──> Report ── pack ──> bytes | Payload
                            ^ large values of other batches, where it reads some

Nothing here raises for a failure of a call. Times are readings of the worker's monotonic clock; the report's stamp
says what the wall clock showed at the start.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from typing import Any

from turgo.worker.arguments import CONSTANTS, RESULTS, filled
from turgo.worker.batch import HALTED_SECONDS, Batch, unpack
from turgo.worker.call import Call
from turgo.worker.code.bootstrap import Payload
from turgo.worker.context import running
from turgo.worker.failures import PASSING, failure, not_a_value
from turgo.worker.mapped import run_elements
from turgo.worker.outcomes import (
    UNCHANGING,
    CallFailure,
    CallOutcome,
    MapOutcome,
    Outcome,
    Report,
    is_complete,
    without_value,
)
from turgo.worker.output.lines import stream_to
from turgo.worker.output.logs import captured_logs
from turgo.worker.process import end_forked_child, halt_in_forked_children, worker_name
from turgo.worker.values.pickles import copied, pack, pack_failure
from turgo.worker.values.stored_values import REPORT_SLOT, StoredValues, insert_values, split_large


def execute(batch: Batch | Payload, stored: Sequence[StoredValues] = ()) -> Any:
    """Execute the calls of a batch; return the Report, packed if the batch came from another process.

    A payload that cannot be opened, as a module is missing here, has a report that holds the error alone.
    stored: where the large values are that the batch reads; see `stored_values`.
    """
    opened = _opened(batch, stored)
    if not isinstance(opened, Batch):
        return opened
    report = _executed(opened)
    if not opened.crossed:
        return report
    return pack(report, slim=_without_inner_values(opened), worker_code=opened.worker_code)


def execute_and_store(batch: Batch | Payload, stored: Sequence[StoredValues], least: int) -> Any:
    """Execute a batch as `execute` does, and store values of at least so many bytes here; see `stored_values`.

    Returns StoredValues, or the report if there are none. It does not stop early: if its worker is lost and it is
    executed again, it has to return as many values.
    """
    opened = _opened(batch, stored)
    if not isinstance(opened, Batch):
        return opened
    opened.fail_fast = False
    opened.least = least
    if opened.limit != HALTED_SECONDS:
        opened.limit = float("inf")
    report = _executed(opened)
    outcomes = _without_inner_values(opened) if opened.crossed else report.outcomes
    small, large, values = split_large(outcomes, least, opened.worker_code)
    left: Any = report._replace(outcomes=small)
    if opened.crossed:
        left = pack(left, worker_code=opened.worker_code)
    return {REPORT_SLOT: (left, large), **values} if large else left


def _opened(batch: Batch | Payload, stored: Sequence[StoredValues]) -> Batch | bytes:
    """The batch with all that it reads; or why it cannot be opened here, as a report."""
    try:
        opened = unpack(batch) if isinstance(batch, Payload) else batch
        if opened.reads:
            insert_values(opened.given, opened.pieces, opened.reads, stored)
    except BaseException as error:
        error = _located(error)
        return pack_failure(CallFailure("Failed", error, "".join(traceback.format_exception(error))))
    return opened


def _located(error: BaseException) -> BaseException:
    """What keeps a batch from being opened; for a missing module it names the worker."""
    if not isinstance(error, ImportError) or type(error) not in (ImportError, ModuleNotFoundError):
        return error
    return type(error)(f"{error} (on the worker {worker_name()})", name=error.name, path=error.path)


def _executed(batch: Batch) -> Report:
    """The report of a batch, after its calls."""
    batch.stamp = (batch.worker or worker_name(), batch.wall_clock(), batch.clock())
    stream = None if batch.channel is None else stream_to(batch.channel)
    owner = os.getpid()
    halt_in_forked_children(_halt_copy)
    with captured_logs(batch, stream) as logs:
        try:
            _execute_pieces(batch)
        finally:
            if os.getpid() != owner:
                end_forked_child(batch.name_of(batch.pieces[len(batch.outcomes) - 1].step))
    return Report(batch.stamp, batch.outcomes, list(map(tuple, logs.lines)) if batch.crossed else logs.lines)


def _halt_copy() -> None:
    """In a process that a call has just forked: no further call of the batch begins there."""
    where = running.get()
    if where is not None:
        where().batch.halt()


def _without_inner_values(batch: Batch) -> list[Outcome]:
    """The outcomes, without values that were used up within the batch; all of them if anything has to be done again."""
    outcomes: list[Outcome] = batch.outcomes
    if _cut_short(batch) or not all(map(is_complete, outcomes)):
        return outcomes
    return [
        without_value(outcome) if piece.step.inner else outcome
        for piece, outcome in zip(batch.pieces, outcomes, strict=True)
    ]


def _cut_short(batch: Batch) -> bool:
    """Whether it stopped before all of its calls were made."""
    if len(batch.outcomes) < len(batch.pieces):
        return True
    last, outcome = batch.pieces[-1], batch.outcomes[-1]
    return isinstance(outcome, MapOutcome) and len(outcome.ends) < last.high - last.low


def _execute_pieces(batch: Batch) -> None:
    """Execute the calls, as far as the limit lets them begin.

    Where values are kept as they were made, a later call gets a copy of one that it could change, unless that stays
    here. Within the driver's process it gets the value itself, as it does anywhere there, once the driver has looked at
    that: the batch ends.
    """
    local, outcomes, clock, new = dict(batch.given), batch.outcomes, batch.clock, tuple.__new__
    failed: set[int] = set()
    missing: dict[int, Any] = {}
    taken = batch.taken_again() if batch.keeps and len(batch.pieces) > 1 else ()
    began = start = clock()
    for piece in batch.pieces:
        step = piece.step
        if began - start > batch.limit and (outcomes or batch.limit == HALTED_SECONDS):
            return
        if piece.columns is not None:
            elements = run_elements(batch, piece, local, missing, start)
            local[step.id] = list(elements.values)  # a call that sorts what it is given sorts its own
            if elements.failures:
                failed.add(step.id)
                missing[step.id] = elements.failures
            outcomes.append(elements)
            batch.current = None  # after it is among the outcomes: see `so_far`
            began = elements.ends[-1] if elements.ends else began
            if step.id in taken and not UNCHANGING.issuperset(map(type, elements.values)):
                if not batch.crossed:
                    return
                local[step.id] = [copied(each, batch.least) for each in elements.values]
        elif failed and not failed.isdisjoint(step.depends):
            failed.add(step.id)
            outcomes.append(None)
        else:
            value, failed_as = _execute_call(batch, step, piece.call, local)
            local[step.id] = value
            if failed_as is not None:
                failed.add(step.id)
            ended = clock()
            # One for each call: half the time of CallOutcome(…).
            outcomes.append(new(CallOutcome, (value, failed_as, began, ended)))
            began = ended
            if step.id in taken and type(value) not in UNCHANGING:
                if not batch.crossed:
                    return
                local[step.id] = copied(value, batch.least)


def _execute_call(
    batch: Batch, step: Any, call: Call, local: dict[int, Any]
) -> tuple[Any, CallFailure | None]:
    """The value of a call, or its failure."""
    source = batch.source
    try:
        if step.plan == RESULTS:
            value = call(*[local[id] if id in local else source[id] for id in step.args])
        elif step.plan == CONSTANTS:
            value = call(*step.args, **step.kwargs)
        else:
            args, kwargs = filled(step, local, source)
            value = call(*args, **kwargs)
    except BaseException as error:
        return None, failure(batch, error)
    if type(value) in PASSING:
        return None, not_a_value(batch.name_of(step), value)
    return value, None
