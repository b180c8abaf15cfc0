"""Which way a call goes: to a slot that is held, to the scheduler, or into a queue of the driver's own.

    submit ──> a slot is held? ───────────── hand it over ──> streams ──> the thread of the call before it
               fewer under way than slots? ─ bunches ───────> scheduler ──> some worker, which then holds the slot
               else ──────────────────────── waiting ──> for the first slot that is free

What goes by the scheduler is on its way for eight milliseconds and more until the driver hears what came of it, what is
handed over for one. If the slot is gone by then, the call goes by the scheduler; if its worker died, it is lost.

All of it happens in the client's event loop, but for `submit`, `sent` and `cancel`.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any

import attrs
import distributed

from turgo_dask.calls.deaths import Deaths
from turgo_dask.calls.future import LostSlotError
from turgo_dask.calls.packed import opening, packed
from turgo_dask.calls.wrappers import ByValue
from turgo_dask.connection.bunches import Bunches
from turgo_dask.slots import on_worker
from turgo_dask.slots.streams import Streams

OFFER_SECONDS = 0.015
"""How long the driver counts on a slot that is held: less than its worker holds it."""

HELD_SECONDS = 10.0
"""How long a slot is held in all. Whoever waits for it in its worker's queue has it after the call that runs; this is
for those whom the scheduler keeps waiting."""

MOST_SLOTS = 64
"""With more of them calls do not wait here: a driver that feeds so many has less to spare than the scheduler."""

DEATH_SECONDS = 5.0
"""How long the scheduler may take to say that a worker is dead whose connection has broken."""

MOST_LOSSES = 3
"""A call with which so many connections have broken is thought to be the reason, and is lost."""

BALANCE_SECONDS = 1.0
"""How often it is looked whether what waits could go by the scheduler, whatever was overlooked."""

LOST_SLOTS = 1_000
"""Of how many slots it is remembered that a call was lost with them."""


@attrs.define(eq=False)
class Slot:
    """A slot that is held. key: of the call that came by the scheduler, whose value stays until the slot is let go."""

    key: str
    address: str
    future: distributed.Future
    since: float
    until: float = 0.0


@attrs.define(eq=False)
class Call:
    """A call on its way. call: a pickle of it. slot: that it was handed to. losses: how often it was lost so."""

    call: bytes
    future: distributed.Future
    slot: Slot | None = None
    losses: int = 0

    @property
    def key(self) -> str:
        """Of its future."""
        return str(self.future.key)

    @property
    def wanted(self) -> bool:
        """Whether nobody has cancelled it or given it up."""
        return bool(self.future._state.status == "pending")


class HeldSlots:
    """The slots that the driver holds. slots: how many there are. queues: whether calls may wait here.

    told: takes the report of a call that came by the scheduler. deaths: the workers that died.
    """

    def __init__(
        self,
        client: distributed.Client,
        bunches: Bunches,
        slots: Callable[[], int],
        told: Callable[[str, bytes], None],
        deaths: Deaths,
        *,
        queues: bool,
    ) -> None:
        self.client = client
        self.bunches = bunches
        self.slots = slots
        self.told = told
        self.deaths = deaths
        self.queues = queues
        self.topic = ""
        self.streams: Streams | None = None
        self.handed_count = 0
        self._sent: dict[str, distributed.Future] = {}
        self._held: dict[str, Slot] = {}
        self._free: OrderedDict[str, Slot] = OrderedDict()
        self._handed: dict[str, Call] = {}
        self._waiting: deque[Call] = deque()
        self._leaving: dict[str, distributed.Future] = {}
        self._lost: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looks = False

    def open(self, topic: str, addresses: Iterable[str]) -> None:
        """Hold slots from now on. Without effect if that is so. topic: by which calls tell their values otherwise."""
        if self.streams is not None:
            return
        self.topic = topic
        self.streams = Streams(self.client, topic, self._received, self._broken)
        self.client.loop.add_callback(self.streams.connect, list(addresses))

    def connect(self, address: str) -> None:
        """A worker has come; in the loop."""
        if self.streams is not None:
            self.streams.connect([address])

    def gone(self, address: str) -> None:
        """The scheduler has lost a worker, which may be there all the same, and silent; in the loop."""
        if self.streams is not None:
            self.streams.drop(address)

    def submit(self, key: str, call: bytes) -> distributed.Future:
        """The future of a call that any worker may run, whose value nobody takes by the scheduler. From any thread."""
        future = distributed.Future(key, self.client)
        self.client.loop.add_callback(self._place, Call(call, future))
        return future

    def sent(self, future: distributed.Future) -> None:
        """A call went by the scheduler that takes a slot, too. From any thread."""
        if self.streams is not None:
            self.client.loop.add_callback(self._took, future)

    def _took(self, future: distributed.Future) -> None:
        if future._state.status == "pending":
            self._sent[future.key] = future
            self._give_back_for_others()

    def _place(self, call: Call) -> None:
        if not call.wanted:
            return
        if self._waiting:
            self._waiting.append(call)
            self._balance()
            return
        while self._free:
            slot = self._free.popitem(last=False)[1]
            if slot.until > time.monotonic() and self._hand(slot, call):
                return
            self._forget(slot)
        if self.queues and self.streams and MOST_SLOTS >= self.slots() <= self._under_way():
            self._waiting.append(call)
            self._look_later()
        else:
            self._send(call)

    def _hand(self, slot: Slot, call: Call) -> bool:
        assert self.streams is not None
        if not self.streams.send(slot.address, slot.key, call.key, call.call):
            return False
        call.slot = slot
        self._handed[call.key] = call
        self.handed_count += 1
        return True

    def _send(self, call: Call) -> None:
        """By the scheduler."""
        self._sent[call.key] = call.future
        opened, opener_args = opening(call.call)
        fn, args, _ = packed(*telling(self.topic, call.key, opened, opener_args))
        self.bunches.submit(call.key, fn, args, {}, call.future)

    def _under_way(self) -> int:
        """Slots that are taken, or are about to be."""
        if len(self._sent) + len(self._held) >= self.slots():
            pending = (each for each in self._sent.values() if each._state.status == "pending")
            self._sent = {each.key: each for each in pending}
        return len(self._sent) + len(self._held)

    def _offer(self, slot: Slot) -> None:
        """A slot is free: for the call that has waited longest."""
        now = time.monotonic()
        expired = now > slot.since + HELD_SECONDS
        self._waiting = deque(call for call in self._waiting if call.wanted)
        if self._under_way() > self.slots() or (expired and len(self._waiting) < 2):
            self._give_back(slot)
        elif self._waiting:
            if expired:  # one is in the queue of a worker by the time that a slot is given back for it
                self._send(self._waiting.popleft())
            if not self._hand(slot, self._waiting[0]):
                self._forget(slot)
                self._balance()
            else:
                self._waiting.popleft()
        else:
            slot.until = now + OFFER_SECONDS
            self._free[slot.key] = slot

    def _give_back(self, slot: Slot) -> None:
        """Let a slot go; its call is over for the scheduler soon."""
        if self.streams is not None:
            self.streams.send(slot.address, slot.key)
        self._forget(slot)
        self._balance()

    def _forget(self, slot: Slot) -> None:
        """Count on it no more; what the scheduler has of it is kept until it says that this is over."""
        self._free.pop(slot.key, None)
        if self._held.pop(slot.key, None) is not None:
            self._leaving[slot.key] = slot.future

    def _give_back_for_others(self) -> None:
        """Let slots go for calls that the scheduler has."""
        while self._free and self._under_way() > self.slots():
            self._give_back(self._free.popitem(last=False)[1])

    def _balance(self) -> None:
        """Send by the scheduler what waits, as far as there are slots that nobody holds."""
        while self._waiting and self._under_way() < self.slots():
            call = self._waiting.popleft()
            if call.wanted:
                self._send(call)

    def _look_later(self) -> None:
        if not self._looks:
            self._looks = True
            self.client.loop.call_later(BALANCE_SECONDS, self._look)

    def _look(self) -> None:
        self._looks = False
        if not self.streams:
            while self._waiting:
                self._send(self._waiting.popleft())
        self._balance()
        if self._waiting:
            self._look_later()

    def ended(self, key: str) -> None:
        """The scheduler says that a call is over, or lost; and so is the slot that it held."""
        self._leaving.pop(key, None)
        slot = self._held.pop(key, None)
        if slot is not None:
            self._free.pop(key, None)
        if self._sent.pop(key, None) is not None or slot is not None:
            self._balance()

    def heard(self, key: str) -> None:
        """The event of a call that came by the scheduler: its slot is not held."""
        if self._sent.pop(key, None) is not None:
            self._balance()

    def _received(self, address: str, message: Mapping[str, Any]) -> None:
        """A worker tells of a call."""
        key, held = message["key"], message.get("held", False)
        if "slot" not in message:
            self._sent.pop(key, None)
            if held and key in self.client.futures:
                since = time.monotonic()
                slot = self._held[key] = Slot(key, address, distributed.Future(key, self.client), since)
                self.told(key, message["value"])
                self._offer(slot)
            else:
                self.told(key, message["value"])
                self._balance()
            return
        call, holder = self._handed.pop(key, None), self._held.get(message["slot"])
        if call is not None and call.wanted:
            self._answered(call, address, message)
        if holder is not None and held:
            self._offer(holder)
        elif holder is not None:
            self._forget(holder)
            self._balance()

    def _answered(self, call: Call, address: str, message: Mapping[str, Any]) -> None:
        state = call.future._state
        if "value" in message:
            call.future.report = message["value"]
            state.finish(bytes)
        elif "error" in message:
            state.set_error(message["error"]["exception"], message["error"]["traceback"])
        elif "kept" in message:
            opened, opener_args = opening(call.call)
            fn, args, _ = packed(_taking(), (self.topic, call.key, opened, *opener_args))
            self._sent[call.key] = call.future
            options = {"workers": [address], "allow_other_workers": True}
            self.bunches.submit(call.key, fn, args, options, call.future)
        else:
            self._send(call)

    def is_busy(self, slot: str) -> bool:
        """Whether a call was handed to the slot that is not over, or was lost with it."""
        return slot in self._lost or any(
            call.slot is not None and call.slot.key == slot for call in list(self._handed.values())
        )

    def _broken(self, address: str) -> None:
        """The connection to a worker is gone, and perhaps the worker."""
        for slot in [each for each in self._held.values() if each.address == address]:
            self._forget(slot)
            del self._leaving[slot.key]  # or the scheduler would make it again elsewhere, though it is over
        calls = [each for each in self._handed.values() if each.slot and each.slot.address == address]
        for call in calls:
            assert call.slot is not None
            self._lost[call.slot.key] = None
        while len(self._lost) > LOST_SLOTS:
            self._lost.popitem(last=False)
        if calls:
            task = asyncio.get_running_loop().create_task(self._end_lost(address, calls))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._balance()

    async def _end_lost(self, address: str, calls: list[Call]) -> None:
        """Calls were handed to a worker that does not answer any more.

        One that was closed in order, or is there and cannot be reached, takes the blame off them: they go by the
        scheduler.
        """
        until = time.monotonic() + DEATH_SECONDS
        while not self.deaths.knows(address) and time.monotonic() < until:
            await asyncio.sleep(0.01)
        blameless = not self.deaths.knows(address) or self.deaths.expected(address)
        for call in calls:
            self._handed.pop(call.key, None)
            call.losses += 1
            if call.wanted and blameless and call.losses < MOST_LOSSES:
                self._send(call)
            elif call.wanted:
                assert call.slot is not None
                call.future._state.set_error(LostSlotError(address, call.slot.key), None)
        self._balance()

    def cancel(self, keys: AbstractSet[str]) -> tuple[set[str], set[str]]:
        """Take back those of these calls that did not go by the scheduler. From any thread but the loop's.

        The keys of those, and of the slots in which some of them run, which run on.
        """
        found: tuple[set[str], set[str]] = self.client.sync(self._cancel, keys)
        return found

    def take_back(self, key: str) -> bool:
        """Cancel one call, unless it went by the scheduler; whether it did not."""
        return bool(self.cancel({key})[0])

    async def _cancel(self, keys: AbstractSet[str] | None) -> tuple[set[str], set[str]]:
        """keys: None for all."""
        ours: set[str] = set()
        running: set[str] = set()
        calls = [*self._handed.values(), *self._waiting]
        for call in calls:
            if keys is None or call.key in keys:
                ours.add(call.key)
                if call.wanted:
                    call.future._state.cancel()
                if call.slot is not None:
                    running.add(call.slot.key)
        self._waiting = deque(call for call in self._waiting if call.wanted)
        return ours, running

    async def stop(self) -> set[str]:
        """Hold no slot any more, and take back what was handed; the slots in which calls run."""
        _, running = await self._cancel(None)
        for slot in list(self._free.values()):
            self._give_back(slot)
        return running

    def close(self) -> None:
        """End the connections; in the loop."""
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
