"""Calls that are handed to a slot a moment before the one in it is over, so that the slot waits for no message.

    a call begins ── half of its time is over ──> near: its slot may be handed one more call, which waits there
                  └─ twice its time is over ────> not near any more: that call is recalled

Until the slot is free the call is bound to it, while another slot may be free first. So it does not go at once, and is
recalled where a slot has nothing to do. A call that has begun by then stays where it is.

How long a call runs is what the engine thinks. Where calls of one task differ much, most are over soon, and a slot that
is not goes on for long: nothing goes ahead there. All of it belongs to the client's event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from turgo_dask.slots.records import Call, Slot

NEARLY_FREE_SHARE = 0.5
"""How much of the time of a call is over when its slot is nearly free. Some calls of a task take half of the mean."""

LATE_SHARE = 2.0
"""After how much of it nobody knows any more when the slot will be free."""

MOST_ERROR_SHARE = 0.25
"""Nothing goes ahead where calls differ by more than that from what they are thought to take, in the mean."""

ERROR_WEIGHT_SHARE = 0.05
"""How much one more call counts in that."""


class Running(NamedTuple):
    """A call that runs in a slot. began: when, in seconds of the clock."""

    slot: Slot
    call: Call
    began: float


class Ahead:
    """The slots that are nearly free, and the calls that were handed to them.

    later: calls a function after so many seconds. near: called when a slot is nearly free. recall: asks the worker of a
    call for it. clock: in seconds.
    """

    def __init__(
        self,
        later: Callable[..., object],
        near: Callable[[], None],
        recall: Callable[[Slot, Call], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._later = later
        self._clock = clock
        self._is_near = near
        self._recall = recall
        self._near: dict[str, Slot] = {}
        self._waiting: dict[str, Call] = {}
        self._recalled: set[str] = set()
        self._running: dict[str, Running] = {}
        self._error = 0.0
        self._errors = 0

    def handed(self, slot: Slot, call: Call) -> None:
        """A call was handed to a slot."""
        slot.calls.append(call)
        self._near.pop(slot.key, None)
        if slot.calls == [call]:
            self._begins(slot)
        else:
            self._waiting[call.key] = call

    def over(self, slot: Slot, call: Call, *, made: bool = True) -> None:
        """A call is over; the next one in its slot begins. made: whether it has a value, and is not lost or back."""
        ran = not call.waits_in_slot
        slot.calls.remove(call)
        self.begun(call.key)
        if ran:
            self._near.pop(slot.key, None)
            running = self._running.pop(call.key, None)
            if made and running is not None:
                self._learn(self._clock() - running.began, call.seconds)
            if slot.calls:
                self._begins(slot)

    def leave(self, slot: Slot) -> None:
        """A slot is handed nothing more."""
        self._near.pop(slot.key, None)

    def _begins(self, slot: Slot) -> None:
        call = slot.calls[0]
        self.begun(call.key)
        if call.seconds:
            self._running[call.key] = Running(slot, call, self._clock())
            # By its key, as a timer that had the slot would keep its future long after the call is over.
            self._later(NEARLY_FREE_SHARE * call.seconds, self._comes_near, call.key)
            self._later(LATE_SHARE * call.seconds, self._is_late, call.key)

    def _learn(self, taken: float, thought: float) -> None:
        """Learn from a call how much it differed from the seconds that it was thought to take."""
        error = min(abs(taken - thought) / thought, 1.0)
        self._errors += 1
        self._error += max(ERROR_WEIGHT_SHARE, 1 / self._errors) * (error - self._error)

    def _comes_near(self, key: str) -> None:
        running = self._running.get(key)
        if running is not None and running.slot.calls == [running.call] and self._error <= MOST_ERROR_SHARE:
            self._near[running.slot.key] = running.slot
            self._is_near()

    def _is_late(self, key: str) -> None:
        running = self._running.get(key)
        if running is not None:
            self._near.pop(running.slot.key, None)
            for waiting in running.slot.calls[1:]:
                self.recall(waiting)

    def next_slot(self) -> Slot | None:
        """The slot that has been nearly free for the longest time; None if there is none."""
        return next(iter(self._near.values()), None)

    def recall(self, call: Call) -> None:
        """Ask for a call that has not begun, as far as is known. Without effect if that was done."""
        if call.key in self._waiting and call.key not in self._recalled and call.slot is not None:
            self._recalled.add(call.key)
            self._recall(call.slot, call)

    def recall_some(self, idle: int) -> None:
        """Recall calls for so many slots that have nothing to do: those that wait for the longest time."""
        for call in list(self._waiting.values()):
            if len(self._recalled) >= idle:
                return
            self.recall(call)

    def recalls(self, calls: Iterable[Call]) -> bool:
        """Whether any of these calls is asked for, and nobody has said yet whether it has begun."""
        return any(call.key in self._recalled for call in calls)

    def begun(self, key: str) -> None:
        """A call waits in its slot no more."""
        self._recalled.discard(key)
        self._waiting.pop(key, None)
