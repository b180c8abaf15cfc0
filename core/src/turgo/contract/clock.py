"""The clock of a run. It says what time it is, and how the engine waits for what is done.

An executor that lives in a time of its own, as a simulated one does, has an attribute `clock` with a Clock of its own;
the engine then reads no other, and waits by it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Clock:
    """The clock of this computer.

    monotonic: reads seconds since some moment, and never goes back. wall: reads seconds since the epoch.
    """

    monotonic: Callable[[], float] = staticmethod(time.perf_counter)
    wall: Callable[[], float] = staticmethod(time.time)

    def get(self, queue: SimpleQueue[T], timeout: float) -> T:
        """The first entry of `queue`, which any thread may put there; waits at most `timeout` seconds.

        Raises queue.Empty if there is none by then.
        """
        return queue.get(timeout=timeout)


SYSTEM_CLOCK = Clock()
"""What a run reads unless its executor has a clock of its own."""


def clock_of(executor: object) -> Clock:
    """The clock that a run on an executor reads."""
    clock = getattr(executor, "clock", None)
    return clock if isinstance(clock, Clock) else SYSTEM_CLOCK
