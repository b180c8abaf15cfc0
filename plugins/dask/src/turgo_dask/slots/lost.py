"""Calls that were handed to a worker with which there is no connection any more.

connection broken ──> the scheduler says that the worker is gone ── closed in order ──> by the scheduler, again
                                                                 └─ or it died ─────> WorkerLostError
                  └─> it says nothing for a while ─────────────────────────────────> WorkerLostError, not sure

Those that had not begun go by the scheduler again; not before it knows, as it would send them where they come from.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

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
    """Ends what was lost. again: sends a call by the scheduler. waiting: calls that had not begun, by their keys.

    In the client's event loop, but for `with_slot`.
    """

    def __init__(self, deaths: Deaths, again: Callable[[Call], None]) -> None:
        self.deaths = deaths
        self.waiting: dict[str, Call] = {}
        self._again = again
        self._slots: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def with_slot(self, key: str) -> bool:
        """Whether a call was lost in the slot that the call of that key held. From any thread."""
        return key in self._slots

    def having(self, keys: AbstractSet[str]) -> list[Call]:
        """Those of these calls that had not begun, and are to go again."""
        return [call for key, call in self.waiting.items() if key in keys]

    def add(
        self, address: str, running: Sequence[Call], waiting: Sequence[Call], over: Callable[[], None]
    ) -> None:
        """A connection is gone, and with it calls that ran, and some that waited.

        over: called once it is known what becomes of them; those that ran are handed until then.
        """
        for call in running:
            if call.slot is not None:
                self._slots[call.slot.key] = None
        while len(self._slots) > KEPT_SLOTS:
            self._slots.popitem(last=False)
        self.waiting.update((call.key, call) for call in waiting)
        task = asyncio.get_running_loop().create_task(self._end(address, running, waiting, over))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(
        self, address: str, running: Sequence[Call], waiting: Sequence[Call], over: Callable[[], None]
    ) -> None:
        until = time.monotonic() + DEATH_SECONDS
        while not self.deaths.knows(address) and time.monotonic() < until:
            await asyncio.sleep(DEATH_LOOK_SECONDS)
        in_order = self.deaths.left_in_order(address)
        over()
        for call in running:
            if not call.wanted or call.slot is None:
                continue
            if in_order:
                self._again(call)
            else:
                call.future._state.set_error(
                    LostSlotError(address, call.slot.key, alone=not call.followed), None
                )
        for call in waiting:
            del self.waiting[call.key]
            if call.wanted:
                self._again(call)

    def close(self) -> None:
        """Wait for nothing any more."""
        for task in self._tasks:
            task.cancel()
