"""Sends large values of the driver to workers once, to stay there.

That is a constant, `warm.map(tiles, unmapped(points))`, or a value that was sent here and is read by several calls.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from turgo.engine.remote_values.references import RemoteRead
from turgo.engine.schedule.remote import RemoteValue, StoredBatch
from turgo.engine.transport.functions import Calls
from turgo.engine.transport.shipment import Shipment
from turgo.flows.graph import Node
from turgo.futures import Future
from turgo.worker.arguments import CONST, CONSTANTS, RESULTS
from turgo.worker.code.bootstrap import Payload, WorkerCode
from turgo.worker.values.stored_values import SENT_SLOT, width_of

_NUMBERS = frozenset({int, float, complex, bool, type(None), range})
ITEM_BYTES = 8
"""Bytes that an element of a collection takes at the least."""

INSPECTED_ITEMS = 64
"""Elements of a small collection that are looked at one by one, as each may be large."""


class Broadcast:
    """What was sent to one site. send: submits a payload that is to stay there; least: bytes of a value that does."""

    def __init__(
        self, send: Callable[[Payload], Future[Any]], site: int, worker_code: WorkerCode | None
    ) -> None:
        self.send = send
        self.site = site
        self.worker_code = worker_code
        self._constants: dict[int, tuple[Any, RemoteValue | None]] = {}

    def reads(self, shipment: Shipment, least: int) -> Iterator[RemoteRead]:
        """What a batch takes that is large and taken by other batches too; what is not there yet is sent."""
        swaps: dict[int, int] = {}
        for piece in shipment.pieces:
            node = piece.step
            for value in constants_of(node):
                remote = self._constant(value, shipment.calls, least) if is_large(value, least) else None
                if remote is not None and id(value) not in swaps:
                    swaps[id(value)] = -2 - len(swaps)
                    yield RemoteRead(remote, None, swaps[id(value)])
            for read in node.reads:
                if read not in shipment.remote and _worth_sending(shipment, node, read, least):
                    remote = self._sent(shipment.source[read], shipment.calls, least)
                    if remote is not None:
                        values: Any = shipment.source  # the schedule's own list
                        values[read], shipment.given[read] = remote, None
                        shipment.remote.add(read)
                        yield RemoteRead(remote, None, read)
        shipment.swaps = swaps

    def _constant(self, value: Any, calls: Calls, least: int) -> RemoteValue | None:
        if id(value) not in self._constants:
            self._constants[id(value)] = (value, self._sent(value, calls, least))
        return self._constants[id(value)][1]

    def _sent(self, value: Any, calls: Calls, least: int) -> RemoteValue | None:
        """A value that is here, sent to stay there as well; None if it is small after all, or cannot be pickled."""
        buffers: list[Any] = []
        try:
            payload = Payload(
                calls.dumps(value, self.worker_code, buffers), *buffers, worker_code=self.worker_code
            )
        except Exception:  # noqa: BLE001  (the value's own code; the call that takes it reports it)
            return None
        size = payload.__sizeof__()
        if size < least:
            return None
        stored = StoredBatch(self.send(payload), self.site)
        itself = weakref.ref(stored)  # no circle: its future is to be let go of at once

        def again() -> None:
            itself().future = self.send(payload)  # type: ignore[union-attr]  # it is there, as it calls

        stored.again = again
        return RemoteValue(stored, SENT_SLOT, size, width_of(value), home=(value,))

    def forget(self) -> None:
        """Let go of what was sent."""
        self._constants.clear()


def _worth_sending(shipment: Shipment, node: Any, read: int, least: int) -> bool:
    """Whether a value that is here, of another node, is large and more than one batch reads it."""
    value = shipment.source[read]
    if value is None or not is_large(value, least):
        return False
    users = shipment.users(read)
    return node.spread is not None or (users is not None and len(users[0]) > 1)


def is_large(value: Any, least: int, depth: int = 2) -> bool:
    """Whether a value takes at least so many bytes, by `nbytes`, its length or `sys.getsizeof`. Nothing is pickled."""
    cls = type(value)
    if cls in _NUMBERS:
        return not least
    if cls in (str, bytes, bytearray):
        return len(value) >= least
    if cls in (list, tuple, set, frozenset, dict):
        return len(value) * ITEM_BYTES >= least or (depth > 0 and _any_large(value, least, depth - 1))
    try:
        size = getattr(value, "nbytes", None)
        return (size if isinstance(size, int) else sys.getsizeof(value)) >= least
    except Exception:  # noqa: BLE001  (the value's own code)
        return False


def _any_large(values: Any, least: int, depth: int) -> bool:
    if len(values) > INSPECTED_ITEMS:
        return False
    items = values.values() if isinstance(values, dict) else values
    return any(is_large(item, least, depth) for item in items)


def constants_of(node: Node) -> Iterator[Any]:
    """The arguments of a node that are the same for each of its calls and no results of other nodes."""
    if node.plan == RESULTS:
        return
    spread = node.spread or ()
    for place, held in (*enumerate(node.args), *node.kwargs.items()):
        if node.plan == CONSTANTS:
            yield held
        elif held[0] == CONST and place not in spread:
            yield held[1]
