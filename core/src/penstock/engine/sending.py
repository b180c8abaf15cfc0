"""Sending: values that are here and large go to the workers once, to stay there, however many calls take them.

That is a constant, `warm.map(tiles, unmapped(points))`, or a value that came home and is read by several calls.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from penstock.engine import keeping
from penstock.engine.calls import Calls
from penstock.engine.carried import Carrier, Parcel
from penstock.engine.constants import constants_of, hefty
from penstock.engine.remote import Keep, Remote
from penstock.engine.shipping import Shipment
from penstock.engine.stowing import Found
from penstock.futures import Future


class Sending:
    """What was sent to one site. send: submits a parcel that is to stay there; least: bytes of a value that does."""

    def __init__(self, send: Callable[[Parcel], Future[Any]], site: int, carrier: Carrier | None) -> None:
        self.send, self.site, self.carrier = send, site, carrier
        self._constants: dict[int, tuple[Any, Remote | None]] = {}

    def found(self, shipment: Shipment, least: int) -> Iterator[Found]:
        """What a batch takes that is large and taken by other batches too; what is not there yet is sent."""
        swaps: dict[int, int] = {}
        for node, *_ in shipment.pieces:
            for value in constants_of(node):
                remote = self._constant(value, shipment.calls, least) if hefty(value, least) else None
                if remote is not None and id(value) not in swaps:
                    swaps[id(value)] = -2 - len(swaps)
                    yield remote, -1, swaps[id(value)], -1, -1, -1
            for read in node.reads:
                if read not in shipment.remote and _worth_sending(shipment, node, read, least):
                    remote = self._sent(shipment.source[read], shipment.calls, least)
                    if remote is not None:
                        values: Any = shipment.source  # the schedule's own list
                        values[read], shipment.given[read] = remote, None
                        shipment.remote.add(read)
                        yield remote, -1, read, -1, -1, -1
        shipment.swaps = swaps

    def _constant(self, value: Any, calls: Calls, least: int) -> Remote | None:
        if id(value) not in self._constants:
            self._constants[id(value)] = (value, self._sent(value, calls, least))
        return self._constants[id(value)][1]

    def _sent(self, value: Any, calls: Calls, least: int) -> Remote | None:
        """A value that is here, sent to stay there as well; None if it is small after all, or cannot be pickled."""
        buffers: list[Any] = []
        try:
            parcel = Parcel(calls.dumps(value, self.carrier, buffers), *buffers, carrier=self.carrier)
        except Exception:  # noqa: BLE001  (the value's own code; the call that takes it tells of it)
            return None
        size = parcel.__sizeof__()
        if size < least:
            return None
        keep = Keep(self.send(parcel), self.site)
        itself = weakref.ref(keep)  # no circle: its future is to be let go of at once

        def again() -> None:
            itself().future = self.send(parcel)  # type: ignore[union-attr]  # it is there, as it calls

        keep.again = again
        return Remote(keep, keeping.SENT, size, keeping.width_of(value), home=(value,))

    def forget(self) -> None:
        """Let go of what was sent."""
        self._constants.clear()


def _worth_sending(shipment: Shipment, node: Any, read: int, least: int) -> bool:
    """Whether a value that is here, of another node, is large and more than one batch reads it."""
    value = shipment.source[read]
    if value is None or not hefty(value, least):
        return False
    users = shipment.users(read)
    return node.spread is not None or (users is not None and len(users[0]) > 1)
