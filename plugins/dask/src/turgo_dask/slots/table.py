"""Counts which slots are taken: by calls that the scheduler has, and by those that are held.

    sent ──told, and held──> held ⇄ free ──given back, or nothing came──> gone
      └──told, not held; over, lost or cancelled────────────────────────> gone

While a slot is held its future is kept, or the scheduler would forget the call and think the slot free. It is dropped
as soon as the slot leaves or the scheduler says that the call is over, as a value that somebody seems to want is made
again if it is lost a moment later. All of it belongs to the client's event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import distributed

from turgo_dask.slots.records import Slot

OFFER_SECONDS = 0.015
"""How long the driver counts on a slot that is held: less than its worker holds it."""

TOTAL_SECONDS = 0.1
"""How long the number of slots is believed: with many workers it takes a while to count them."""


class SlotTable:
    """The slots that are taken. total: says how many there are."""

    def __init__(self, total: Callable[[], int]) -> None:
        self._total = total
        self._counted = 0
        self._counted_at = float("-inf")
        self._sent: dict[str, distributed.Future] = {}
        self._held: dict[str, Slot] = {}
        self._free: dict[str, Slot] = {}
        self._lost: dict[str, Slot] = {}

    @property
    def total(self) -> int:
        """How many slots there are."""
        now = time.monotonic()
        if now > self._counted_at + TOTAL_SECONDS:
            self._counted, self._counted_at = self._total(), now
        return self._counted

    @property
    def spare(self) -> int:
        """How many slots nobody has; less than 0 if more calls went by the scheduler than there are slots."""
        return self.total - len(self._sent) - len(self._held)

    def send(self, future: distributed.Future) -> None:
        """A call goes by the scheduler."""
        self._sent[future.key] = future

    def tells(self, key: str) -> distributed.Future | None:
        """A call that went by the scheduler has told its value. Its future, unless nobody has it any more."""
        return self._sent.pop(key, None)

    def hold(self, future: distributed.Future, address: str) -> Slot:
        """The slot of such a call, which is held now."""
        slot = self._held[future.key] = Slot(future.key, address, future, since=time.monotonic())
        return slot

    def find(self, key: str) -> Slot | None:
        """The slot that is held by the call of that key."""
        return self._held.get(key)

    def free(self, slot: Slot) -> None:
        """Nothing was handed to it yet."""
        slot.until = time.monotonic() + OFFER_SECONDS
        self._free[slot.key] = slot

    def take(self) -> Slot | None:
        """The slot that is free since the shortest time; None if there is none."""
        self.expire()
        return self._free.popitem()[1] if self._free else None

    def expire(self) -> None:
        """Those that have been free for so long that they may be gone leave."""
        now = time.monotonic()
        for slot in list(self._free.values()):
            if slot.until <= now:
                self.leave(slot)

    def free_slots(self) -> list[Slot]:
        """All that are free."""
        return list(self._free.values())

    def leave(self, slot: Slot) -> None:
        """It is held no longer."""
        self._free.pop(slot.key, None)
        self._held.pop(slot.key, None)
        slot.future = None  # calls that were handed to it may still have the slot

    def lose(self, address: str) -> list[Slot]:
        """The slots at an address, which are held no longer. They have their futures, until they are forgotten."""
        lost = [slot for slot in self._held.values() if slot.address == address]
        for slot in lost:
            self._free.pop(slot.key, None)
            self._lost[slot.key] = self._held.pop(slot.key)
        return lost

    def forget(self, key: str) -> bool:
        """The scheduler is done with a call, and so is the slot that it held. Whether either counted."""
        held, lost = self._held.get(key), self._lost.pop(key, None)
        for slot in filter(None, (held, lost)):
            self.leave(slot)
        return self._sent.pop(key, None) is not None or held is not None
