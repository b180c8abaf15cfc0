"""What has ended of a run, and all who wait for more of it: threads and coroutines.

    loop of the run ──bunch of events──> Ended ──┬──> threads, in `wait`
    the thread of the run, at its end ───────────┴──> coroutines, in `turn`

It is an observer of the run, and notes what it is told. A call that runs in the thread of the run holds the next bunch
up; so who waits looks by himself, now and then, at what is to be in it. A `TaskRun` is made by whoever looks.
"""

from __future__ import annotations

import os
import threading
import time
import types
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from turgo.errors import RunError
from turgo.hooks import hookimpl
from turgo.records.task_run import TaskEvent

if TYPE_CHECKING:
    import asyncio

NEXT_LOOK_SECONDS = 0.05
"""Seconds after which who waits for more looks whether there is some."""

SLICE_SECONDS = 0.5
"""Maximum seconds to block. A signal that arrives as a wait begins is handled only when that wait ends."""


class Ended:
    """What has ended of one run. events: oldest first; over: whether there will be no more of them.

    pending: what is to be told next, as the loop writes it. thread: that of the run. error: what the run raised, if it
    did; told: whether somebody has been told of it.
    """

    def __init__(self, flow: str) -> None:
        self.flow = flow
        self.events: list[TaskEvent] = []
        self.over = False
        self.error: BaseException | None = None
        self.told = False
        self._traceback: types.TracebackType | None = None
        self.pending: list[TaskEvent] = []
        self.thread: threading.Thread | None = None
        self._looked = 0  # how much of what is pending is noted
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._wakers: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    @hookimpl
    def turgo_task_events(self, events: Sequence[TaskEvent]) -> None:
        """Note what is over."""
        with self._changed:
            fresh, self._looked = events[self._looked :], 0
            self._note(fresh)

    def look(self) -> None:
        """Note what is over and was not told yet."""
        with self._changed:
            # The loop appends to it, and empties it as it tells; all of it is in the next bunch then.
            fresh = self.pending[self._looked :]
            self._looked += len(fresh)
            self._note(fresh)

    def _note(self, events: Sequence[TaskEvent]) -> None:
        finished = [event for event in events if event.state.finished]
        if finished:
            self.events += finished
            self._wake()

    def close(self, error: BaseException | None) -> None:
        """The run is over. error: what it raised."""
        with self._changed:
            self.error = error
            self._traceback = error.__traceback__ if error is not None else None
            self.over = True
            self._wake()

    def raise_error(self) -> None:
        """Raise what the run raised, with the traceback that it had."""
        error = self.error
        if error is not None:
            self.told = True
            raise error.with_traceback(self._traceback)  # each raising adds to it

    @property
    def foreign(self) -> bool:
        """Whether this process is a fork of the one that runs the flow."""
        return os.getpid() != self._process

    def check_waiter(self) -> None:
        """Raise RunError for who would wait for ever: a fork of the process, or the thread of the run itself."""
        if self.foreign:
            raise RunError(
                f"the run of {self.flow} goes on in the process {self._process}, of which this is a fork"
            )
        if threading.current_thread() is self.thread:
            raise RunError(
                f"the run of {self.flow} would wait for itself: it was asked for in its own thread"
            )

    def beyond(self, seen: int | None) -> bool:
        """Whether there are more than `seen` events, or the run is over; None for its end alone."""
        return self.over or (seen is not None and len(self.events) > seen)

    def wait(self, seen: int | None, timeout: float | None = None) -> bool:
        """Block until `beyond(seen)`, for at most `timeout` seconds. Returns whether it is so. Raises RunError."""
        if self.beyond(seen):
            return True
        self.check_waiter()
        until = None if timeout is None else time.monotonic() + timeout
        longest = SLICE_SECONDS if seen is None else NEXT_LOOK_SECONDS
        with self._changed:
            while not self.beyond(seen):
                left = longest if until is None else min(longest, until - time.monotonic())
                if left <= 0:
                    return False
                if not self._changed.wait(left) and seen is not None:
                    self.look()
        return True

    async def turn(self, seen: int | None) -> None:
        """Wait until `beyond(seen)`, in any event loop of asyncio. Raises RunError."""
        import asyncio  # late: 15 ms, and few look from a coroutine

        loop = asyncio.get_running_loop()
        while not self.beyond(seen):
            self.check_waiter()
            woken = loop.create_future()
            with self._changed:
                if self.beyond(seen):
                    return
                self._wakers[woken] = loop
            timer = None if seen is None else loop.call_later(NEXT_LOOK_SECONDS, self._look_for, woken)
            try:
                await woken
            finally:
                if timer is not None:
                    timer.cancel()
                with self._changed:
                    self._wakers.pop(woken, None)

    def _look_for(self, woken: asyncio.Future[None]) -> None:
        self.look()
        _settle(woken)

    def _wake(self) -> None:
        self._changed.notify_all()
        for woken, loop in self._wakers.items():
            with suppress(RuntimeError):  # the loop is closed, and nobody waits in it
                loop.call_soon_threadsafe(_settle, woken)


def _settle(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
