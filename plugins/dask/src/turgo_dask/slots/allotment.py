"""Which slot is given to which call, and which waits.

    place ──> a slot is free? ─────────────── it is handed over
              fewer under way than slots? ─── the scheduler has it
              else ──────────────────────────> waiting ──> the first slot that is free, or nearly so (see `ahead`)

All of it belongs to the client's event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import distributed

from turgo_dask.slots.driver_queue import DriverQueue
from turgo_dask.slots.handed import HandedCalls
from turgo_dask.slots.records import Call, Slot
from turgo_dask.slots.table import OFFER_SECONDS, SlotTable

HELD_SECONDS = 10.0
"""How long a slot is held in all. Whoever waits for it in its worker's queue has it after the call that runs; this is
for those whom the scheduler keeps waiting."""

MOST_SLOTS = 64
"""With more of them calls do not wait here: a driver that feeds so many has less to spare than the scheduler."""


class Allotment:
    """The slots of one driver, the calls that are in them, and those that wait.

    slots: how many there are. queues: whether calls may wait here, where no scheduler counts them. reachable: whether
    any slot can be reached. later: calls a function after so many seconds. send: sends a call by the scheduler.
    send_to: sends a call to a slot, asks for it back if there are no bytes, or lets the slot go if there is no key;
    whether that is on its way.
    """

    def __init__(
        self,
        slots: Callable[[], int],
        *,
        queues: Callable[[], bool],
        reachable: Callable[[], bool],
        later: Callable[..., object],
        send: Callable[[Call], None],
        send_to: Callable[[Slot, str | None, bytes | None], bool],
    ) -> None:
        self.queues = queues
        self.reachable = reachable
        self._later = later
        self._send = send
        self._send_to = send_to
        self.table = SlotTable(slots)
        self.handed = HandedCalls(send_to, later, self.balance)
        self.waiting = DriverQueue(later, send, reachable, self.balance)

    def place(self, call: Call) -> None:
        """A call is to be made."""
        if not call.wanted:
            return
        if self.waiting:
            self.waiting.append(call)
            return
        while (slot := self.table.take()) is not None:
            if self._hand(slot, call):
                return
        if self._waits_here() and self.table.spare <= 0:
            self.waiting.append(call)
            self.balance()
        else:
            self._send(call)

    def _waits_here(self) -> bool:
        """Whether calls may wait in the driver."""
        return self.reachable() and self.table.total <= MOST_SLOTS and self.queues()

    def _hand(self, slot: Slot, call: Call) -> bool:
        """Hand a call over. False if the slot cannot be reached any more; it leaves then."""
        if self.handed.hand(slot, call):
            return True
        self.table.leave(slot)
        return False

    def sent(self, future: distributed.Future) -> None:
        """A call went by the scheduler without us: slots that are free are let go, if it has none left for that."""
        if future._state.status == "pending":
            self.table.send(future)
        for slot in self.table.free_slots():
            if self.table.spare < 0:
                self.give_back(slot)

    def offer(self, slot: Slot) -> None:
        """A slot is free: for the call that has waited longest, unless it is to be given back."""
        expired = time.monotonic() > slot.since + HELD_SECONDS
        first = self.waiting.take() if self.table.spare >= 0 else None
        if first is not None and expired:
            self._send(first)  # so that a worker has it in its queue when this slot is given back for it
            first = self.waiting.take()
        if first is not None:
            if not self._hand(slot, first):
                self._send(first)
        elif expired or self.table.spare < 0:
            self.give_back(slot)
        else:
            self.table.free(slot)
            self._later(OFFER_SECONDS, self.table.expire)

    def give_back(self, slot: Slot) -> None:
        """Let a slot go; to the scheduler its call is over soon."""
        self._send_to(slot, None, None)
        self.table.leave(slot)

    def balance(self) -> None:
        """Have no slot idle, as far as anything waits.

        What waits goes to slots that are free; by the scheduler as far as it has slots, all of it if none is to wait
        here; and to slots that are nearly free. Where nothing waits for a slot that is idle, or a slot is to be given
        back, calls that went ahead are recalled.
        """
        while (call := self.waiting.first()) is not None:
            if (slot := self.table.take()) is not None or (slot := self._nearly_free()) is not None:
                if self._hand(slot, call):
                    self.waiting.take()
            elif self.table.spare > 0 or not self.queues():
                self.waiting.take()
                self._send(call)
            else:
                return
        spare = self.table.spare
        self.handed.ahead.recall_some(len(self.table.free_slots()) + spare if spare >= 0 else -spare)

    def _nearly_free(self) -> Slot | None:
        """A slot that may be handed one more call than it runs. None where all are given back, or do."""
        if self.table.spare != 0 or not self.queues():
            return None
        while (slot := self.handed.ahead.next_slot()) is not None:
            if time.monotonic() < slot.since + HELD_SECONDS:
                return slot
            self.handed.ahead.leave(slot)  # it is to be given back
        return None
