"""The calls that wait in the driver for a slot, and how long the first of them may.

    append, put first ──> the queue ── taken ──> a slot, or the scheduler
                              └─ the same call is first for too long ──> all of it to whoever sends

All of it belongs to the client's event loop.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from turgo_dask.slots.records import Call

DRIVER_WAIT_SECONDS = 0.5
"""How long a call waits here before all that waits goes by the scheduler. That costs nothing beside calls which keep
all slots for so long; and if these have seceded, the scheduler has slots of which the driver does not know."""


class DriverQueue:
    """Those of one driver. later: calls a function after so many seconds. send: sends a call by the scheduler.

    reachable: whether any slot may be held; if none may, nothing is to wait. looked: called every now and then, while
    calls wait.
    """

    def __init__(
        self,
        later: Callable[..., object],
        send: Callable[[Call], None],
        reachable: Callable[[], bool],
        looked: Callable[[], None],
    ) -> None:
        self._later = later
        self._send = send
        self._reachable = reachable
        self._looked = looked
        self._calls: deque[Call] = deque()
        self._looks_at: str | None = None  # a key, as the call would keep its future after it is over

    def __len__(self) -> int:
        return len(self._calls)

    def append(self, call: Call) -> None:
        """One more."""
        self._calls.append(call)
        self._look_later()

    def put_first(self, call: Call) -> None:
        """One that has waited before."""
        self._calls.appendleft(call)
        self._look_later()

    def first(self) -> Call | None:
        """The one that has waited longest; it waits on. None if nobody wants any of them."""
        while self._calls and not self._calls[0].wanted:
            self._calls.popleft()
        return self._calls[0] if self._calls else None

    def take(self) -> Call | None:
        """The same, and it waits no more."""
        call = self.first()
        if call is not None:
            self._calls.popleft()
        return call

    def keys(self) -> set[str]:
        """The keys of all."""
        return {call.key for call in self._calls}

    def having(self, keys: AbstractSet[str]) -> list[Call]:
        """Those whose keys are among these."""
        return [call for call in self._calls if call.key in keys]

    def _look_later(self) -> None:
        if self._looks_at is None and self._calls:
            self._looks_at = self._calls[0].key
            self._later(DRIVER_WAIT_SECONDS, self._look)

    def _look(self) -> None:
        waited, self._looks_at = self._looks_at, None
        if self._calls and (self._calls[0].key == waited or not self._reachable()):
            while (call := self.take()) is not None:
                self._send(call)
        self._looked()
        self._look_later()
