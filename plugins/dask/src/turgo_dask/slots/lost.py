"""Calls that were handed to a worker with which there is no connection any more.

connection broken ──> the scheduler says that the worker is gone ── closed in order ──> by the scheduler, again
                                                                 └─ or it died ─────> WorkerLostError
                  └─> it says nothing for a while ─────────────────────────────────> WorkerLostError, not sure
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from turgo_dask.calls.deaths import Deaths
from turgo_dask.calls.future import LostSlotError
from turgo_dask.slots.records import Call

DEATH_SECONDS = 5.0
"""How long the scheduler may take to say that a worker is gone whose connection has broken."""

DEATH_LOOK_SECONDS = 0.01
"""How often it is looked whether it has."""

KEPT_SLOTS = 1_000
"""How many slots are remembered in which a call was lost."""


class LostCalls:
    """Ends what was lost. again: sends a call by the scheduler. In the client's event loop, but for `with_slot`."""

    def __init__(self, deaths: Deaths, again: Callable[[Call], None]) -> None:
        self.deaths = deaths
        self._again = again
        self._slots: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def with_slot(self, key: str) -> bool:
        """Whether a call was lost in the slot that the call of that key held. From any thread."""
        return key in self._slots

    def add(self, address: str, calls: Sequence[Call], over: Callable[[], None]) -> None:
        """A connection is gone. over: called once it is known what becomes of the calls; until then they are handed."""
        for call in calls:
            if call.slot is not None:
                self._slots[call.slot.key] = None
        while len(self._slots) > KEPT_SLOTS:
            self._slots.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._end(address, calls, over))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, address: str, calls: Sequence[Call], over: Callable[[], None]) -> None:
        until = time.monotonic() + DEATH_SECONDS
        while not self.deaths.knows(address) and time.monotonic() < until:
            await asyncio.sleep(DEATH_LOOK_SECONDS)
        in_order = self.deaths.left_in_order(address)
        over()
        for call in calls:
            if not call.wanted or call.slot is None:
                continue
            if in_order:
                self._again(call)
            else:
                call.future._state.set_error(
                    LostSlotError(address, call.slot.key, alone=not call.followed), None
                )

    def close(self) -> None:
        """Wait for nothing any more."""
        for task in self._tasks:
            task.cancel()
