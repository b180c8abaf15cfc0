"""A clock of virtual time. It leaps from event to event when somebody waits; its futures let the time advance.

at(when, event) ──> events, the earliest first ──step──> now = when, event()
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future as ConcurrentFuture
from heapq import heappop, heappush
from itertools import count
from math import inf, nextafter
from queue import SimpleQueue
from typing import Any, TypeVar

from turgo.contract.clock import Clock

T = TypeVar("T")

START_SECONDS = 1_700_000_000.0
"""What the wall clock shows when a simulated executor is made, in seconds since the epoch."""


class SimulatedClock(Clock):
    """Virtual time: advances from event to event, when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.lock = threading.RLock()
        self.monotonic = lambda: self.now
        self.wall = lambda: START_SECONDS + self.now
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Let an event happen at a time; those of one time in the order of asking."""
        heappush(self._events, (when, next(self._numbers), event))

    def step(self, until: float = inf) -> bool:
        """Let the next event happen, if there is one by then."""
        with self.lock:
            if not self._events or self._events[0][0] > until:
                return False
            when, _, event = heappop(self._events)
            self.now = max(self.now, when)
            event()
            return True

    def get(self, queue: SimpleQueue[T], timeout: float) -> T:
        """The first entry of `queue`; raises queue.Empty after so many virtual seconds.

        They may be too few to be seen in the time. It goes on all the same, or who waits for a moment would never get
        there.
        """
        until = max(self.now + timeout, nextafter(self.now, inf)) if timeout > 0 else self.now
        while queue.empty():
            if not self.step(until):
                self.now = until
                break
        return queue.get_nowait()

    def clear(self) -> None:
        """Let nothing happen any more."""
        self._events.clear()


class SimulatedFuture(ConcurrentFuture[Any]):
    """The future of a simulated call: whoever waits for it lets the time advance."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def _advance(self, timeout: float | None) -> None:
        clock = self._clock
        until = inf if timeout is None else clock.now + timeout
        while not self.done() and clock.step(until):
            pass
        if not self.done() and until < inf:
            clock.now = until

    def result(self, timeout: float | None = None) -> Any:
        """Its value. Raises TimeoutError after so many virtual seconds, or the error of the call."""
        self._advance(timeout)
        return super().result(timeout and 0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """The error of the call, or None. Raises TimeoutError after so many virtual seconds."""
        self._advance(timeout)
        return super().exception(timeout and 0)
