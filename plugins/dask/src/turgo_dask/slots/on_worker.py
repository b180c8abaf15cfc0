"""What a worker does for a slot that is held. The driver installs it there, and it is gone with the connection.

    driver ── connect, run `install` ──> worker: a handler, and its `turgo_slots[topic]`
    driver ── open the handler ────────> it keeps the connection, and reads from it

    thread of a call:   made ──> tell it ──> held? wait for another call, for a moment ──> make it ──> tell it ──> …
    event loop:         slot, key, call ──> into the queue of that thread;  slot, no key ──> let it go
                        slot, key, no call ──> out of that queue, unless it has begun

A slot goes by the key of the call that came to it by the scheduler. What a worker tells, as dicts:

    key, value, held         that call came to this value; whether its slot is held now
    slot, key, held, …       what a call came to that was handed to a slot; whether the slot is held still:
              value          these bytes
              error          an error, as distributed sends it
              kept           something that is to stay; `take` has it
              gone           nothing: the call was not made, as the slot is held no more or the driver wants it back
    slot, key, begun         the driver wants that call back, and it has begun, or is over

All of it is shipped by value, with `outbox`, as workers have nothing of this package: it uses Python's library and
distributed alone.
"""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from distributed import get_worker, threadpoolexecutor
from distributed.core import error_message

from turgo_dask.slots.outbox import Outbox

MOST_TOLD_BYTES = 64 * 2**10
"""A larger value of a call that came by the scheduler is not told: it is copied to whoever may not want it."""

MOST_ANSWER_BYTES = 4 * 2**20
"""A larger value of a call that was handed is kept: two event loops would do nothing else while it is copied."""

HOLD_SECONDS = 0.02
"""How long a call that is over holds its slot for another one. A driver that is not quicker has nothing to hand."""

SLOTS = "turgo_slots"
"""The attribute of a worker that has the slots of each driver, by its topic."""


def tell(topic: str, key: str, fn: Callable[..., Any], /, *args: Any) -> Any:
    """Call a function, tell what it returns, and make the calls that are handed to this slot then.

    The value is told by the driver's own connection, where there is one, and else by an event of the scheduler. What is
    not told, as it is no bytes or too many, is fetched by whoever wants it.
    """
    value = fn(*args)
    if type(value) is bytes and len(value) <= MOST_TOLD_BYTES:
        worker = get_worker()
        slots = getattr(worker, SLOTS, {}).get(topic)
        if slots is None or not slots.tell_and_hold(key, value):
            worker.log_event(topic, (key, value))
    return value


def take(topic: str, key: str, fn: Callable[..., Any], /, *args: Any) -> Any:
    """The value of a call that was handed here and is too much to be told; elsewhere it is made again."""
    slots = getattr(get_worker(), SLOTS, {}).get(topic)
    kept = [] if slots is None else slots.take(key)
    return kept[0] if kept else fn(*args)


def install(topic: str, handler: str, dask_worker: Any) -> None:
    """Make a worker ready for the connection of a driver. In its event loop."""
    slots = Slots(dask_worker, topic, handler)
    vars(dask_worker).setdefault(SLOTS, {})[topic] = slots

    # A function, as a worker looks at the name of the first argument, which of a method is `self`.
    async def serve(comm: Any) -> None:
        await slots.serve(comm)

    dask_worker.handlers[handler] = serve


class Slots:
    """The slots that one driver holds on one worker. stream: what is sent to it; None once its connection has ended."""

    def __init__(self, worker: Any, topic: str, handler: str) -> None:
        self.worker = worker
        self.topic = topic
        self.handler = handler
        self.stream: Outbox | None = None
        self._lock = threading.Lock()
        self._waiting: dict[str, queue.SimpleQueue[str | None]] = {}
        self._queued: dict[tuple[str, str], bytes] = {}
        self._kept: dict[str, Any] = {}

    async def serve(self, comm: Any) -> None:
        """Read what the driver sends, until its connection ends."""
        stream = self.stream = Outbox(comm)
        try:
            while True:
                for slot, key, call in await comm.read():
                    self._heard(slot, key, call)
        except (OSError, EOFError):  # the driver has left
            pass
        finally:
            self.stream = None
            stream.abort()
            every = getattr(self.worker, SLOTS)
            if every.get(self.topic) is self:  # else the driver has connected anew
                del every[self.topic], self.worker.handlers[self.handler]
            with self._lock:
                self._queued.clear()
                for waiting in self._waiting.values():
                    waiting.put(None)

    def _heard(self, slot: str, key: str | None, call: bytes | None) -> None:
        """A call for a slot; that it is to come back, if there is no call; or that the slot is to be let go."""
        if key is not None and call is None:
            self._heard_recall(slot, key)
            return
        with self._lock:
            waiting = self._waiting.get(slot)
            if waiting is not None:
                if key is not None and call is not None:
                    self._queued[slot, key] = call
                waiting.put(key)
        if waiting is None and key is not None:
            self._send({"key": key, "slot": slot, "held": False, "gone": True})

    def _heard_recall(self, slot: str, key: str) -> None:
        if self._queued.pop((slot, key), None) is not None:  # else its thread was quicker
            self._send({"key": key, "slot": slot, "held": True, "gone": True})
        else:
            self._send({"key": key, "slot": slot, "begun": True})

    def _send(self, message: dict[str, Any]) -> None:
        if self.stream is not None:
            with suppress(OSError):
                self.stream.send(message)

    def _send_from_thread(self, message: dict[str, Any]) -> None:
        self.worker.loop.asyncio_loop.call_soon_threadsafe(self._send, message)

    def _may_hold(self) -> bool:
        """Whether this thread has a slot for which nobody waits here."""
        state = self.worker.state
        return bool(
            self.stream is not None
            and getattr(threadpoolexecutor.thread_state, "proceed", False)  # not once its call has seceded
            and not (state.ready or state.constrained)
            and self.worker.status.name == "running"
        )

    def tell_and_hold(self, key: str, value: bytes) -> bool:
        """Tell what a call came to, and hold its slot until it is let go. In its thread. False without a connection."""
        if self.stream is None:
            return False
        if not self._may_hold():
            self._send_from_thread({"key": key, "value": value, "held": False})
            return True
        waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        with self._lock:
            self._waiting[key] = waiting
        try:
            self._send_from_thread({"key": key, "value": value, "held": True})
            self._hold(key, waiting)
        finally:
            self._let_go(key)
        return True

    def _hold(self, slot: str, waiting: queue.SimpleQueue[str | None]) -> None:
        """Make what is handed to the slot, until nothing is."""
        held = True
        while held:
            try:
                key = waiting.get(timeout=HOLD_SECONDS)
            except queue.Empty:
                return
            if key is None:
                return
            call = self._queued.pop((slot, key), None)
            if call is None:  # it is back at the driver
                continue
            answer = self._made(key, call)
            held = "value" in answer and self._may_hold()
            if not held:
                self._let_go(slot)
            self._send_from_thread({**answer, "slot": slot, "held": held})

    def _made(self, key: str, call: bytes) -> dict[str, Any]:
        """What there is to tell of a call, which is made."""
        try:
            value = pickle.loads(call)()
        except BaseException as error:  # noqa: BLE001  (whatever ends it, the driver waits for it)
            return {"key": key, "error": error_message(error)}
        if type(value) is bytes and len(value) <= MOST_ANSWER_BYTES:
            return {"key": key, "value": value}
        with self._lock:
            self._kept[key] = value
        return {"key": key, "kept": True}

    def take(self, key: str) -> list[Any]:
        """The value that is kept of a call; empty if there is none."""
        with self._lock:
            return [self._kept.pop(key)] if key in self._kept else []

    def _let_go(self, slot: str) -> None:
        """Hold it no longer. Calls that have come for it go elsewhere."""
        with self._lock:
            waiting = self._waiting.pop(slot, None)
        while waiting is not None and not waiting.empty():
            key = waiting.get()
            if key is not None and self._queued.pop((slot, key), None) is not None:
                self._send_from_thread({"key": key, "slot": slot, "held": False, "gone": True})
