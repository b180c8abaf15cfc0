"""Large values that stay on the worker that made them.

    submit(execute_and_store, batch, …)    ──>  a dict of the values, each pickled by itself: stays on the worker
    submit(facts, future of that dict)     ──>  the report without the large values, and what is known of each
    submit(execute, batch, [futures])      ──>  a batch that reads large values takes them out of those dicts

The dict is `{slot: payload, REPORT_SLOT: …}`: builtins alone, of a size that a cluster can measure. Small values are
in it as well as in the report: a batch that is executed again, as its worker was lost, may return larger ones. A batch
that returned no large value stores nothing; its result is the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from turgo.worker.code.bootstrap import Payload, WorkerCode
from turgo.worker.outcomes import CallOutcome, MapOutcome, Outcome
from turgo.worker.values.pickles import payload_of

_COUNTED = (list, tuple, range, dict, set, frozenset)

Slot = tuple[int, int | None]
"""The piece that a value is of, and its offset among the elements of the piece; None for the value of one call."""


class LargeValue(NamedTuple):
    """What the driver knows of a value that is stored.

    size: in bytes. width: how many elements a map over it has; None if only a look at the value can show it. digest: of
    its copy, where values are copied.
    """

    slot: Slot
    size: int
    width: int | None
    digest: bytes = b""


class Read(NamedTuple):
    """A stored value that a batch reads, and where it goes.

    number, slot: where it is stored. piece: whose column `place` it belongs to; None: it is the value of node `place`.
    offset: the element that it is of that column or value; None: it is all of it. low, high: the part of the stored
    value that is taken; None: all of it.
    """

    number: int
    slot: Slot
    piece: int | None
    place: int
    offset: int | None = None
    low: int | None = None
    high: int | None = None


StoredValues = dict[Any, Any]
"""Values by slot, and under REPORT_SLOT the report without the large ones."""

REPORT_SLOT = "report"
"""The key of the report, and of what is known of the large values."""

SENT_SLOT = (-1, None)
"""The slot of a value that the driver sent."""


def facts(stored: StoredValues | Any) -> Any:
    """The report, and what is known of each large value."""
    return stored[REPORT_SLOT] if type(stored) is dict else (stored, ())


def store_sent(payload: Payload) -> StoredValues:
    """Store a value that came from the driver."""
    return {SENT_SLOT: payload}


def pick(stored: StoredValues, slots: Sequence[Slot]) -> list[Payload]:
    """Some of the stored values."""
    return [stored[slot] for slot in slots]


def split_large(
    outcomes: Sequence[Outcome], least: int, worker_code: WorkerCode | None
) -> tuple[list[Outcome], list[tuple[Slot, int, int | None]], dict[Slot, Payload]]:
    """The outcomes without the values of at least so many bytes, these as rows of LargeValue, and all values."""
    small: list[Outcome] = []
    large: list[tuple[Slot, int, int | None]] = []
    payloads: dict[Slot, Payload] = {}

    def left(value: Any, slot: Slot) -> Any:
        payload = _payload(value, worker_code)
        if payload is None:
            return value
        payloads[slot] = payload
        size = payload.__sizeof__()
        if size < least:
            return value
        large.append((slot, size, width_of(value)))
        return None

    for piece, outcome in enumerate(outcomes):
        if isinstance(outcome, MapOutcome) and outcome.values is not None:
            rest = [left(value, (piece, offset)) for offset, value in enumerate(outcome.values)]
            small.append(outcome._replace(values=rest))
        elif isinstance(outcome, CallOutcome) and outcome.failure is None:
            small.append(outcome._replace(value=left(outcome.value, (piece, None))))
        else:
            small.append(outcome)
    return small, large, payloads


def _payload(value: Any, worker_code: WorkerCode | None) -> Payload | None:
    """The value as it is sent; None if it cannot, which the report then says."""
    if value is None:
        return None
    try:
        payload = payload_of(value)
    except Exception:
        return None
    payload.worker_code = worker_code
    return payload


def width_of(value: Any) -> int | None:
    """How many elements a map over a value has; None if only iterating over it can show it."""
    if type(value) in _COUNTED:
        return len(value)
    return len(value) if type(value).__name__ == "ndarray" and value.shape else None


def _can_be_cut(value: Any) -> bool:
    """Whether a slice of it holds what iterating over it gives."""
    return isinstance(value, (list, tuple, range)) or type(value).__name__ == "ndarray"


def insert_values(
    given: dict[int, Any], pieces: Sequence[Any], reads: Iterable[Read], stored: Sequence[StoredValues]
) -> None:
    """Give a batch the large values that it reads. Raises what unpickling them raises."""
    opened: dict[tuple[int, Slot], Any] = {}
    for read in reads:
        key = read.number, read.slot
        if key not in opened:
            opened[key] = stored[read.number][read.slot].open()
        insert(given, pieces, read, opened[key])


def insert(given: dict[int, Any], pieces: Sequence[Any], read: Read, value: Any) -> None:
    """Put a value, or elements of it, where a batch reads it."""
    if read.low is not None:
        value = (value if _can_be_cut(value) else list(value))[read.low : read.high]
    target = given if read.piece is None else pieces[read.piece].columns
    if read.offset is None:
        target[read.place] = value
    else:
        target[read.place][read.offset] = value
