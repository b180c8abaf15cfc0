"""Finds the remote values that a batch reads.

Each remote value is replaced by None; the caller then either fetches it or passes its future along. Needs neither an
executor nor a site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from turgo.engine.schedule.remote import RemoteSlice, RemoteValue, StoredBatch
from turgo.engine.transport.shipment import Shipment
from turgo.worker.outcomes import CallOutcome, MapOutcome, Outcome
from turgo.worker.values.stored_values import LargeValue, Read, insert


class RemoteRead(NamedTuple):
    """A remote value that a batch reads, and where it goes: see `Read`."""

    remote: RemoteValue
    piece: int | None
    place: int
    offset: int | None = None
    low: int | None = None
    high: int | None = None

    def numbered(self, number: int) -> Read:
        """What the worker needs to put it there."""
        return Read(number, self.remote.slot, self.piece, self.place, self.offset, self.low, self.high)


def remote_reads(shipment: Shipment) -> Iterator[RemoteRead]:
    """What a batch reads that is not here; each is replaced by None."""
    seen: set[int] = set()
    for number, piece in enumerate(shipment.pieces):
        columns = piece.columns or []
        for place, column in enumerate(columns):
            if type(column) is RemoteSlice:
                columns[place] = None
                yield RemoteRead(column.remote, number, place, None, column.low, column.high)
            elif type(column) is list and not shipment.remote.isdisjoint(piece.step.upstream):
                for offset, value in _taken_out(column):
                    yield RemoteRead(value, number, place, offset)
        for read in piece.step.reads:
            if read in shipment.remote and read not in seen:
                seen.add(read)
                yield from _node_reads(shipment, read)


def _node_reads(shipment: Shipment, node: int) -> Iterator[RemoteRead]:
    value = shipment.source[node]
    if type(value) is RemoteValue:
        shipment.given[node] = None
        yield RemoteRead(value, None, node)
    elif type(shipment.given.get(node)) is list:
        for offset, each in _taken_out(shipment.given[node]):
            yield RemoteRead(each, None, node, offset)


def _taken_out(values: list[Any]) -> Iterator[tuple[int, RemoteValue]]:
    for offset, value in enumerate(values):
        if type(value) is RemoteValue:
            values[offset] = None
            yield offset, value


def insert_local(shipment: Shipment, read: RemoteRead) -> None:
    """Put a value that is here by now where a batch reads it."""
    assert read.remote.home is not None
    insert(shipment.given, shipment.pieces, read.numbered(0), read.remote.home[0])


def fetch_reads(shipment: Shipment, fetch: Callable[[Sequence[RemoteValue]], None]) -> None:
    """Put the remote values that a batch reads into their places here. Raises what fetching them raises."""
    reads = list(remote_reads(shipment))
    fetch([read.remote for read in reads if read.remote.home is None])
    for read in reads:
        insert_local(shipment, read)


def with_remotes(
    outcomes: Sequence[Outcome], large: Iterable[LargeValue], stored: StoredBatch
) -> list[Outcome]:
    """The outcomes of a batch, with a RemoteValue in the place of each value that stayed."""
    filled = list(outcomes)
    for each in large:
        piece, offset = each.slot
        remote = RemoteValue(stored, each.slot, each.size, each.width, digest=each.digest)
        outcome = filled[piece]
        if isinstance(outcome, MapOutcome) and offset is not None:
            outcome.values[offset] = remote
        elif isinstance(outcome, CallOutcome):
            filled[piece] = outcome._replace(value=remote)
    return filled
