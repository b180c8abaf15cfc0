"""Stowing: what a batch reads that is elsewhere, and what is to be put in its place.

Needs neither executor nor site: a `Remote` is found, a gap is left where it was, and whoever asked decides whether its
value comes here or its future goes along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from penstock.engine import keeping
from penstock.engine.keeping import Known
from penstock.engine.remote import Cut, Keep, Remote
from penstock.engine.shipping import Shipment

Found = tuple[Remote, int, int, int, int, int]
"""A value that is elsewhere: `(remote, piece, place, offset, low, high)`, as in `keeping.Read`."""


def remotes_in(shipment: Shipment) -> Iterator[Found]:
    """What a batch reads that is not here; a gap is left in its place."""
    seen: set[int] = set()
    for piece, (node, _, _, _, columns) in enumerate(shipment.pieces):
        for place, column in enumerate(columns or ()):
            if type(column) is Cut:
                columns[place] = None
                yield column.remote, piece, place, -1, column.low, column.high
            elif type(column) is list and not shipment.remote.isdisjoint(node.upstream):
                for offset, value in _taken_out(column):
                    yield value, piece, place, offset, -1, -1
        for read in node.reads:
            if read in shipment.remote and read not in seen:
                seen.add(read)
                yield from _read(shipment, read)


def _read(shipment: Shipment, read: int) -> Iterator[Found]:
    value = shipment.source[read]
    if type(value) is Remote:
        shipment.given[read] = None
        yield value, -1, read, -1, -1, -1
    elif type(shipment.given.get(read)) is list:
        for offset, each in _taken_out(shipment.given[read]):
            yield each, -1, read, offset, -1, -1


def _taken_out(values: list[Any]) -> Iterator[tuple[int, Remote]]:
    for offset, value in enumerate(values):
        if type(value) is Remote:
            values[offset] = None
            yield offset, value


def put_here(shipment: Shipment, found: Found) -> None:
    """Put a value that has come here where a batch reads it."""
    remote, piece, place, offset, low, high = found
    assert remote.home is not None
    target = shipment.given if piece < 0 else shipment.pieces[piece][4]
    keeping.put(target, place, offset, remote.home[0], low, high)


def take_home(shipment: Shipment, bring: Callable[[Sequence[Remote]], None]) -> None:
    """Put the values that a batch reads into their places here. Raises what bringing them raises."""
    found = list(remotes_in(shipment))
    bring([remote for remote, *_ in found if remote.home is None])
    for each in found:
        put_here(shipment, each)


def with_remotes(outcomes: Sequence[Any], known: Iterable[Known], keep: Keep) -> list[Any]:
    """The outcomes of a batch, with a Remote in the place of each value that stayed."""
    filled = list(outcomes)
    for slot, size, width in known:
        piece, offset = slot
        remote = Remote(keep, slot, size, width)
        if offset < 0:
            filled[piece] = (True, remote, *filled[piece][2:])
        else:
            filled[piece][1][offset] = remote
    return filled
