"""What stays on the worker that made it: large values, each pickled by itself, and what is told of them at home.

    submit(execute_keeping, batch, …)  ──>  a *kept*: the large values, and the report that lacks them   stays there
    submit(facts, future of the kept)  ──>  the report, and what is known of each large value            comes home
    submit(execute, batch, [futures])  ──>  a batch that reads large values gets them from each kept

A kept is a dict, `{slot: parcel, REPORT: …}`: nothing that a worker without penstock would not know, and of a size that
a cluster sees. A slot is `(piece, offset)`, with the offset among the elements of the piece or -1. Small values are in
the kept as well as in the report: a batch that is made again, since its worker was lost, may bring larger ones. What is
known of a large value is `(slot, size, width)`: its size in bytes, and how many elements a map over it has, or None if
only a look at the value can tell. A batch that brought no large value leaves no kept, but its report.

What a batch reads is `(piece, place, offset, number, slot, low, high)`: the value goes into column `place` of the
piece, or is what node `place` gave if `piece` is -1; as its element `offset` unless that is -1; it is in that slot
of the kept with that number; `low` and `high` cut elements out of it unless `low` is -1.

Needs nothing but the standard library; see `work`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from penstock.engine.carried import Carrier, Parcel
from penstock.engine.portable import parcel_of

_COUNTED = (list, tuple, range, dict, set, frozenset)

Slot = tuple[int, int]
"""The piece that a value is of, and the offset among its elements or -1."""

Known = tuple[Slot, int, int | None]
"""What is known of a large value; see the top of the module."""

Read = tuple[int, int, int, int, Slot, int, int]
"""A large value that a batch reads; see the top of the module."""

Kept = dict[Any, Any]
"""Values, and the report that lacks the large ones; see the top of the module."""

REPORT = "report"
"""Where the report is in a kept, with what is known of the large values."""

SENT = (-1, -1)
"""The slot of a value that was sent from home."""


def facts(kept: Kept | Any) -> Any:
    """What goes home of what is kept: the report, and what is known of each large value."""
    return kept[REPORT] if type(kept) is dict else (kept, ())


def keep(parcel: Parcel) -> Kept:
    """Keep a value that came from the driver."""
    return {SENT: parcel}


def pick(kept: Kept, slots: Sequence[Slot]) -> list[Parcel]:
    """Some of the values that are kept."""
    return [kept[slot] for slot in slots]


def set_aside(
    outcomes: list[Any], least: int, carrier: Carrier | None
) -> tuple[list[Any], list[Known], dict[Slot, Parcel]]:
    """The outcomes without the values of at least so many bytes, what is known of these, and all values."""
    left: list[Any] = []
    known: list[Known] = []
    parcels: dict[Slot, Parcel] = {}

    def home(value: Any, slot: Slot) -> Any:
        parcel = _parcel(value, carrier)
        if parcel is None:
            return value
        parcels[slot] = parcel
        size = parcel.__sizeof__()
        if size < least:
            return value
        known.append((slot, size, width_of(value)))
        return None

    for piece, outcome in enumerate(outcomes):
        if outcome is None or outcome[0] is False or outcome[1] is None:
            left.append(outcome)  # there is no value, or none that anybody needs
        elif outcome[0] is True:
            left.append((True, home(outcome[1], (piece, -1)), *outcome[2:]))
        else:
            began, values, ends, failures = outcome
            rest = [home(value, (piece, offset)) for offset, value in enumerate(values)]
            left.append((began, rest, ends, failures))
    return left, known, parcels


def _parcel(value: Any, carrier: Carrier | None) -> Parcel | None:
    """The value as it travels; None if it cannot, which is told of as soon as it goes home."""
    if value is None:
        return None
    try:
        parcel = parcel_of(value)
    except Exception:
        return None
    parcel.carrier = carrier
    return parcel


def width_of(value: Any) -> int | None:
    """How many elements a map over a value has; None if only iterating over it can tell."""
    if type(value) in _COUNTED:
        return len(value)
    return len(value) if type(value).__name__ == "ndarray" and value.shape else None


def _can_be_cut(value: Any) -> bool:
    """Whether a slice of it holds what iterating over it gives."""
    return isinstance(value, (list, tuple, range)) or type(value).__name__ == "ndarray"


def put_in_place(
    given: dict[int, Any], pieces: Sequence[Any], reads: Iterable[Read], kepts: Sequence[Kept]
) -> None:
    """Give a batch the large values that it reads. Raises what unpickling them raises."""
    opened: dict[tuple[int, Slot], Any] = {}
    for piece, place, offset, number, slot, low, high in reads:
        if (number, slot) not in opened:
            opened[number, slot] = kepts[number][slot].open()
        target = given if piece < 0 else pieces[piece][4]
        put(target, place, offset, opened[number, slot], low, high)


def put(target: Any, place: int, offset: int, value: Any, low: int, high: int) -> None:
    """Put a value, or elements of it, into its place among what a batch reads."""
    if low >= 0:
        value = (value if _can_be_cut(value) else list(value))[low:high]
    if offset < 0:
        target[place] = value
    else:
        target[place][offset] = value
