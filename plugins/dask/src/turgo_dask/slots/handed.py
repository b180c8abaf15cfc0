"""The calls that were handed to slots and are not over.

    hand ──> waits in its slot, or runs ── over, recalled, lost ──> none of these any more

All of it belongs to the client's event loop, but for `is_in`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from turgo_dask.slots.ahead import Ahead
from turgo_dask.slots.records import Call, Slot

RECALL_SECONDS = 0.25
"""How long a worker may take to say whether a call has begun that is cancelled: less than is waited for that as the
executor is left."""

RECALL_LOOK_SECONDS = 0.001
"""How often it is looked whether it has."""


class HandedCalls:
    """Those of one driver, by their keys.

    send: sends a call to a slot, or asks for it if there are no bytes; whether that is on its way. later: calls a
    function after so many seconds. near: called when a slot may be handed one call more.
    """

    def __init__(
        self,
        send: Callable[[Slot, str, bytes | None], bool],
        later: Callable[..., object],
        near: Callable[[], None],
    ) -> None:
        self._send = send
        self.ahead = Ahead(later, near, self._recall)
        self.calls: dict[str, Call] = {}

    def hand(self, slot: Slot, call: Call) -> bool:
        """Hand a call over. False if the slot cannot be reached any more."""
        if not self._send(slot, call.key, call.pickled):
            self.ahead.leave(slot)
            return False
        call.slot = slot
        self.calls[call.key] = call
        self.ahead.handed(slot, call)
        return True

    def _recall(self, slot: Slot, call: Call) -> None:
        """Ask for a call. If its slot cannot be reached any more, it is lost, or over, soon."""
        self._send(slot, call.key, None)

    def pop(self, key: str, *, made: bool = False) -> Call | None:
        """The call of that key, which is over or has come back; None if it was lost. made: whether it has a value."""
        call = self.calls.pop(key, None)
        if call is not None and call.slot is not None:
            self.ahead.over(call.slot, call, made=made)
        return call

    def lose(self, address: str) -> tuple[list[Call], list[Call]]:
        """The calls at an address that ran, and stay here until they are popped; and those that waited, and do not."""
        lost = [
            call for call in self.calls.values() if call.slot is not None and call.slot.address == address
        ]
        waiting = [call for call in lost if call.waits_in_slot]
        running = [call for call in lost if not call.waits_in_slot]
        for call in running:
            call.followed = call.slot is not None and len(call.slot.calls) > 1
        for call in waiting:
            self.pop(call.key)
        return running, waiting

    def waiting(self) -> list[Call]:
        """Those that wait in slots."""
        return [call for call in self.calls.values() if call.waits_in_slot]

    def is_in(self, slot: str) -> bool:
        """Whether any call is in a slot, by the key of the slot. From any thread."""
        slots = [call.slot for call in list(self.calls.values())]
        return any(each is not None and each.key == slot for each in slots)

    async def recall(self, calls: Sequence[Call]) -> None:
        """Ask for those of these calls that wait in slots, until it is known whether they have begun."""
        for call in calls:
            if call.key in self.calls and call.waits_in_slot:
                self.ahead.recall(call)
        until = time.monotonic() + RECALL_SECONDS
        while self.ahead.recalls(calls) and time.monotonic() < until:
            await asyncio.sleep(RECALL_LOOK_SECONDS)
