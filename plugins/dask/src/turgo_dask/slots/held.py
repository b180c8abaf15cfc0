"""The slots that the driver holds on workers, and the calls that are handed to them.

    submit ──> allotment ── a slot is given ──> streams ──> the thread of the call before it
                         ├─ some are left ────> bunches ──> scheduler ──> some worker, which then holds the slot
                         └─ else it waits

    streams: told, held, lost ──> the future of the call, and the slot is given to the next one

If a slot is gone by the time that a call comes to it, the call goes by the scheduler; what becomes of it if its worker
is gone, `lost` says. A value that is too much to be sent home stays where it is: see `taken_over`.

All of it happens in the client's event loop, but for what says that it may come from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import distributed

from turgo_dask.calls.deaths import Deaths
from turgo_dask.calls.packed import opening, packed
from turgo_dask.connection.bunches import Bunches
from turgo_dask.connection.client import Client
from turgo_dask.slots.allotment import Allotment
from turgo_dask.slots.lost import LostCalls
from turgo_dask.slots.records import Call, Slot
from turgo_dask.slots.shipped import taking, telling
from turgo_dask.slots.streams import Streams
from turgo_dask.slots.table import TOTAL_SECONDS
from turgo_dask.slots.taken_over import TakenOver


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
        self.topic = ""
        self.streams: Streams | None = None
        self.lost = LostCalls(deaths, self._send)
        self.taken_over = TakenOver(client)
        self.allotment = Allotment(
            slots,
            queues=queues,
            reachable=lambda: bool(self.streams),
            later=client.loop.call_later,
            send=self._send,
            send_to=self._send_to,
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
            self.client.loop.call_later(TOTAL_SECONDS, self.allotment.balance)

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
        self.client.loop.add_callback(self.allotment.place, Call(pickled, future, seconds=seconds))
        return future

    def sent(self, future: distributed.Future) -> None:
        """A call went by the scheduler, and takes a slot, too. From any thread."""
        if self.streams is not None:
            self.client.loop.add_callback(self.allotment.sent, future)

    def _send(self, call: Call) -> None:
        """Send a call by the scheduler."""
        call.slot = None
        self.allotment.table.send(call.future)
        fn, args, _ = packed(*telling(self.topic, call.key, *opening(call.pickled)))
        self.bunches.submit(call.key, fn, args, {}, call.future)

    def _send_to(self, slot: Slot, key: str | None, call: bytes | None) -> bool:
        """Send a call to a slot, ask for it if there are no bytes, or let the slot go. Whether that is on its way."""
        return self.streams is not None and self.streams.send(slot.address, slot.key, key, call)

    def ended(self, key: str) -> None:
        """The scheduler says that a call is over, lost or cancelled."""
        self.taken_over.ended(key)
        if self.allotment.table.forget(key):
            self.allotment.balance()

    def heard(self, key: str) -> None:
        """The event of a call that came by the scheduler: its slot is not held."""
        if self.allotment.table.tells(key) is not None:
            self.allotment.balance()

    def _received(self, address: str, message: Mapping[str, Any]) -> None:
        """A worker tells of a call; `on_worker` says what."""
        if "slot" not in message:
            self._came(address, message["key"], message["value"], held=message["held"])
            return
        if "begun" in message:
            self.allotment.handed.ahead.begun(message["key"])
            self.allotment.balance()
            return
        call = self.allotment.handed.pop(message["key"], made="value" in message or "kept" in message)
        slot = self.allotment.table.find(message["slot"])
        if call is not None and call.wanted:
            self._answered(call, address, message)
        if slot is not None and not message["held"]:
            self.allotment.table.leave(slot)
        elif slot is not None and not slot.calls:
            self.allotment.offer(slot)
        self.allotment.balance()

    def _came(self, address: str, key: str, value: bytes, *, held: bool) -> None:
        """What a call came to that went by the scheduler."""
        future = self.allotment.table.tells(key)
        pending = future is not None and future._state.status == "pending"  # else given up, or told already
        slot = self.allotment.table.hold(future, address) if held and pending else None
        if held and slot is None and self.streams is not None:
            self.streams.send(address, key)
        self.told(key, value)
        if slot is not None:
            self.allotment.offer(slot)
        self.allotment.balance()

    def _answered(self, call: Call, address: str, message: Mapping[str, Any]) -> None:
        """What a call came to that was handed over."""
        if "value" in message:
            call.future.report = message["value"]
            call.future._state.finish(bytes)
        elif "error" in message:
            error = message["error"]
            self.client._handle_task_erred(call.key, error["exception"], error["traceback"])
        elif "kept" in message:
            self.allotment.table.send(call.future)
            fn, args, _ = packed(*taking(self.topic, call.key, *opening(call.pickled)))
            options = self.taken_over.bind(call.key, address)
            self.bunches.submit(call.key, fn, args, options, call.future)
        elif message["held"]:  # it was recalled
            call.slot = None
            self.allotment.waiting.put_first(call)
        else:
            self._send(call)

    def is_busy(self, key: str) -> bool:
        """Whether a call runs in the slot that the call of that key held, or was lost in it. From any thread."""
        return self.lost.with_slot(key) or self.allotment.handed.is_in(key)

    def _broken(self, address: str) -> None:
        """The connection to a worker is gone, and perhaps the worker."""
        self.taken_over.lost(address)
        slots = self.allotment.table.lose(address)
        running, waiting = self.allotment.handed.lose(address)

        def over() -> None:
            for call in running:
                self.allotment.handed.pop(call.key)
            for slot in slots:  # until now the scheduler was to know which calls its worker had
                self.allotment.table.forget(slot.key)
            self.allotment.balance()

        if slots or running or waiting:
            self.lost.add(address, running, waiting, over)
        self.allotment.balance()

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
        handed = self.allotment.handed.calls
        found = [call for call in handed.values() if call.key in keys]
        found += [*self.allotment.waiting.having(keys), *self.lost.having(keys)]
        for call in found:
            if call.wanted:
                call.future._state.cancel()
        await self.allotment.handed.recall(found)
        running = {call.slot.key for call in found if call.key in handed and call.slot is not None}
        return {call.key for call in found}, running

    async def stop(self, in_order: bool) -> tuple[set[str], set[str]]:
        """Hold no slot any more. The keys of calls that were handed and are not over, and of slots in which others run.

        in_order: whether what runs is let come to its end; else it is cancelled, and runs on all the same.
        """
        waiting = self.allotment.waiting.keys() | {call.key for call in self.allotment.handed.waiting()}
        waiting |= self.lost.waiting.keys()
        _, slots = await self._cancel(waiting if in_order else waiting | self.allotment.handed.calls.keys())
        for slot in self.allotment.table.free_slots():
            self.allotment.give_back(slot)
        return set(self.allotment.handed.calls) if in_order else set(), slots

    def close(self) -> None:
        """End the connections."""
        self.lost.close()
        self.taken_over.close()
        if self.streams is not None:
            self.streams.close()
