"""Which way a call goes: to a slot that is held, to the scheduler, or into a queue of the driver's own.

    submit ──> a slot is held? ───────────── hand it over ──> streams ──> the thread of the call before it
               fewer under way than slots? ─ bunches ───────> scheduler ──> some worker, which then holds the slot
               else ──────────────────────── waiting ──> for the first slot that is free, or nearly so (see `ahead`)

If a slot is gone by the time that a call comes to it, the call goes by the scheduler; what becomes of it if its worker
is gone, `lost` says. A value that is too much to be sent home stays where it is: see `taken_over`.

All of it happens in the client's event loop, but for what says that it may come from any thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

import distributed

from turgo_dask.calls.deaths import Deaths
from turgo_dask.calls.packed import opening, packed
from turgo_dask.calls.wrappers import ByValue
from turgo_dask.connection.bunches import Bunches
from turgo_dask.connection.client import Client
from turgo_dask.slots import on_worker
from turgo_dask.slots.driver_queue import DriverQueue
from turgo_dask.slots.handed import HandedCalls
from turgo_dask.slots.lost import LostCalls
from turgo_dask.slots.records import Call, Slot
from turgo_dask.slots.streams import Streams
from turgo_dask.slots.table import OFFER_SECONDS, TOTAL_SECONDS, SlotTable
from turgo_dask.slots.taken_over import TakenOver

HELD_SECONDS = 10.0
"""How long a slot is held in all. Whoever waits for it in its worker's queue has it after the call that runs; this is
for those whom the scheduler keeps waiting."""

MOST_SLOTS = 64
"""With more of them calls do not wait here: a driver that feeds so many has less to spare than the scheduler."""


class HeldSlots:
    """The slots that the driver holds. slots: how many there are. queues: whether calls may wait here, where no
    scheduler counts them.

    told: takes the report of a call that came by the scheduler. deaths: the workers that died.
    """

    def __init__(
        self,
        client: Client,
        bunches: Bunches,
        slots: Callable[[], int],
        told: Callable[[str, bytes], None],
        deaths: Deaths,
        *,
        queues: Callable[[], bool],
    ) -> None:
        self.client = client
        self.bunches = bunches
        self.told = told
        self.queues = queues
        self.topic = ""
        self.streams: Streams | None = None
        self.table = SlotTable(slots)
        self.lost = LostCalls(deaths, self._send)
        self.taken_over = TakenOver(client)
        self.handed = HandedCalls(self._send_to, client.loop.call_later, self._balance)
        self.waiting = DriverQueue(
            client.loop.call_later, self._send, lambda: bool(self.streams), self._balance
        )

    def open(self, topic: str, addresses: Iterable[str]) -> None:
        """Hold slots from now on. Without effect if that is so. topic: by which calls tell their values otherwise."""
        if self.streams is not None:
            return
        self.topic = topic
        self.streams = Streams(self.client, topic, self._received, self._broken)
        self.client.loop.add_callback(self.streams.connect, list(addresses))

    def connect(self, address: str) -> None:
        """A worker has come."""
        if self.streams is not None:
            self.streams.connect([address])
            self.client.loop.call_later(TOTAL_SECONDS, self._balance)

    def disconnect(self, address: str) -> None:
        """The scheduler has lost a worker. It may stand still, and its connection be there."""
        if self.streams is not None:
            self.streams.disconnect(address)

    def retire(self, address: str) -> None:
        """A worker is about to be ended in order: what was handed there goes elsewhere. From any thread."""
        self.lost.deaths.retires(address)
        self.client.loop.add_callback(self.disconnect, address)

    def submit(self, key: str, pickled: bytes, seconds: float = 0.0) -> distributed.Future:
        """The future of a call that any worker may run, whose value nobody takes by the scheduler. From any thread.

        seconds: how long it is thought to run; 0 if that is not known.
        """
        future = distributed.Future(key, self.client)
        self.client.loop.add_callback(self._place, Call(pickled, future, seconds=seconds))
        return future

    def sent(self, future: distributed.Future) -> None:
        """A call went by the scheduler, and takes a slot, too. From any thread."""
        if self.streams is not None:
            self.client.loop.add_callback(self._give_back_for, future)

    def _give_back_for(self, future: distributed.Future) -> None:
        """Let slots that are free go, if the scheduler has none left for a call."""
        if future._state.status == "pending":
            self.table.send(future)
        for slot in self.table.free_slots():
            if self.table.spare < 0:
                self._give_back(slot)

    def _place(self, call: Call) -> None:
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
            self._balance()
        else:
            self._send(call)

    def _waits_here(self) -> bool:
        """Whether calls may wait in the driver."""
        return bool(self.streams) and self.table.total <= MOST_SLOTS and self.queues()

    def _hand(self, slot: Slot, call: Call) -> bool:
        """Hand a call over. False if the slot cannot be reached any more; it leaves then."""
        if self.handed.hand(slot, call):
            return True
        self.table.leave(slot)
        return False

    def _send_to(self, slot: Slot, key: str, call: bytes | None) -> bool:
        """Send a call to a slot, or ask for it if there are no bytes. Whether that is on its way."""
        return self.streams is not None and self.streams.send(slot.address, slot.key, key, call)

    def _send(self, call: Call) -> None:
        """Send a call by the scheduler."""
        call.slot = None
        self.table.send(call.future)
        fn, args, _ = packed(*telling(self.topic, call.key, *opening(call.pickled)))
        self.bunches.submit(call.key, fn, args, {}, call.future)

    def _offer(self, slot: Slot) -> None:
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
            self._give_back(slot)
        else:
            self.table.free(slot)
            self.client.loop.call_later(OFFER_SECONDS, self.table.expire)

    def _give_back(self, slot: Slot) -> None:
        """Let a slot go; to the scheduler its call is over soon."""
        if self.streams is not None:
            self.streams.send(slot.address, slot.key)
        self.table.leave(slot)

    def _balance(self) -> None:
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

    def ended(self, key: str) -> None:
        """The scheduler says that a call is over, lost or cancelled."""
        self.taken_over.ended(key)
        if self.table.forget(key):
            self._balance()

    def heard(self, key: str) -> None:
        """The event of a call that came by the scheduler: its slot is not held."""
        if self.table.tells(key) is not None:
            self._balance()

    def _received(self, address: str, message: Mapping[str, Any]) -> None:
        """A worker tells of a call; `on_worker` says what."""
        if "slot" not in message:
            self._came(address, message["key"], message["value"], held=message["held"])
            return
        if "begun" in message:
            self.handed.ahead.begun(message["key"])
            self._balance()
            return
        call = self.handed.pop(message["key"], made="value" in message or "kept" in message)
        slot = self.table.find(message["slot"])
        if call is not None and call.wanted:
            self._answered(call, address, message)
        if slot is not None and not message["held"]:
            self.table.leave(slot)
        elif slot is not None and not slot.calls:
            self._offer(slot)
        self._balance()

    def _came(self, address: str, key: str, value: bytes, *, held: bool) -> None:
        """What a call came to that went by the scheduler."""
        future = self.table.tells(key)
        pending = future is not None and future._state.status == "pending"  # else given up, or told already
        slot = self.table.hold(future, address) if held and pending else None
        if held and slot is None and self.streams is not None:
            self.streams.send(address, key)
        self.told(key, value)
        if slot is not None:
            self._offer(slot)
        self._balance()

    def _answered(self, call: Call, address: str, message: Mapping[str, Any]) -> None:
        """What a call came to that was handed over."""
        if "value" in message:
            call.future.report = message["value"]
            call.future._state.finish(bytes)
        elif "error" in message:
            error = message["error"]
            self.client._handle_task_erred(call.key, error["exception"], error["traceback"])
        elif "kept" in message:
            self.table.send(call.future)
            opened, its_args = opening(call.pickled)
            fn, args, _ = packed(_taking(), (self.topic, call.key, opened, *its_args))
            options = self.taken_over.bind(call.key, address)
            self.bunches.submit(call.key, fn, args, options, call.future)
        elif message["held"]:  # it was recalled
            call.slot = None
            self.waiting.put_first(call)
        else:
            self._send(call)

    def is_busy(self, key: str) -> bool:
        """Whether a call runs in the slot that the call of that key held, or was lost in it. From any thread."""
        return self.lost.with_slot(key) or self.handed.is_in(key)

    def _broken(self, address: str) -> None:
        """The connection to a worker is gone, and perhaps the worker."""
        self.taken_over.lost(address)
        slots = self.table.lose(address)
        running, waiting = self.handed.lose(address)

        def over() -> None:
            for call in running:
                self.handed.pop(call.key)
            slots.clear()  # until now the scheduler was to know which calls its worker had
            self._balance()

        for call in waiting:
            if call.wanted:
                self._send(call)
        if slots or running:
            self.lost.add(address, running, over)
        self._balance()

    def cancel(self, keys: AbstractSet[str]) -> tuple[set[str], set[str]]:
        """Cancel those of these calls that did not go by the scheduler. From any thread but the loop's.

        The keys of those, and of the slots in which some of them run on.
        """
        found: tuple[set[str], set[str]] = self.client.sync(self._cancel, keys)
        return found

    def take_back(self, key: str) -> bool:
        """Cancel one call, unless it went by the scheduler. Whether it did not. From any thread but the loop's."""
        return bool(self.cancel({key})[0])

    async def _cancel(self, keys: AbstractSet[str]) -> tuple[set[str], set[str]]:
        handed = self.handed.calls
        found = [call for call in handed.values() if call.key in keys] + self.waiting.having(keys)
        for call in found:
            if call.wanted:
                call.future._state.cancel()
        await self.handed.recall(found)
        running = {call.slot.key for call in found if call.key in handed and call.slot is not None}
        return {call.key for call in found}, running

    async def stop(self, in_order: bool) -> tuple[set[str], set[str]]:
        """Hold no slot any more. The keys of calls that were handed and are not over, and of slots in which others run.

        in_order: whether what runs is let come to its end; else it is cancelled, and runs on all the same.
        """
        waiting = self.waiting.keys() | {call.key for call in self.handed.waiting()}
        _, slots = await self._cancel(waiting if in_order else waiting | self.handed.calls.keys())
        for slot in self.table.free_slots():
            self._give_back(slot)
        return set(self.handed.calls) if in_order else set(), slots

    def close(self) -> None:
        """End the connections."""
        self.lost.close()
        self.taken_over.close()
        if self.streams is not None:
            self.streams.close()


def telling(
    topic: str, key: str, fn: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The call that tells what the call of `fn` returns, and then holds its slot."""
    return _telling(), (topic, key, fn, *args)


@cache
def _telling() -> ByValue:
    return ByValue(on_worker.tell)


@cache
def _taking() -> ByValue:
    return ByValue(on_worker.take)
