"""Batching: how many calls go into the next submission, learned from what earlier ones took. Pure.

The price of a submission is paid per submission (some 10 µs for a thread, 2 ms for a cluster), so few should be made;
but a worker must not idle because another got too much. What is known, and what follows from it:

    seconds for a call of each task     a task that is not known yet goes one call at a time
    bytes of its values, sent home      a batch holds so many calls that they are at most HEAVIEST
    calls of it that were seen          a batch holds at most ten times as many: the first few may not be typical
    seconds that a round trip costs     a batch is worth at least two of them, however many workers idle meanwhile
    calls that are ready, free slots    a batch is worth at most a fair share of the ready work
    TARGET                              and never more than this: progress shows, and little is lost with a worker

Where all of that was wrong, since a task became slow, the batch itself stops and gives the rest back: `work.LIMIT`.
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.engine.queues import AnyTask, Queue

TARGET = 0.2
"""Seconds of work in a batch, once the task is known."""

GROWTH = 10
"""How many times as many calls as were seen may go into a batch."""

WEIGHT = 0.3
"""How much a new batch counts in the estimate of what a call takes."""

HEAVIEST = 16 * 2**20
"""Bytes; values of a batch that are sent home together are not to be more."""

QUICKEST = 2e-7
"""Seconds; nothing is estimated to be quicker, as clocks cannot tell."""


class Batching:
    """What a run has learned about its tasks and its executor."""

    def __init__(self) -> None:
        self.costs: dict[AnyTask, float] = {}
        self.most: dict[AnyTask, int] = {}
        self.trip = 0.0
        self._seen: dict[AnyTask, int] = {}
        self._sizes: dict[AnyTask, float] = {}

    def learn(self, task: AnyTask, calls: int, seconds: float) -> None:
        """So many calls of a task took so long, one after the other."""
        each = max(seconds / calls, QUICKEST)
        known = self.costs.get(task)
        self.costs[task] = each if known is None else known + WEIGHT * (each - known)
        seen = self._seen[task] = self._seen.get(task, 0) + calls
        fits = int(HEAVIEST / self._sizes[task]) if self._sizes.get(task) else seen * GROWTH
        self.most[task] = max(1, min(seen * GROWTH, fits))

    def learn_size(self, task: AnyTask, size: float) -> None:
        """A value of a task took so many bytes on its way home."""
        known = self._sizes.get(task)
        self._sizes[task] = size if known is None else known + WEIGHT * (size - known)

    def learn_trip(self, seconds: float) -> None:
        """A submission took so much longer than the work in it. The quickest counts: the others may have queued."""
        self.trip = seconds if not self.trip else min(self.trip * 1.05, seconds)

    def budget(self, queue: Queue, slots: int) -> float:
        """Seconds of work for the next batch from `queue`, on an executor that can run `slots` calls at once."""
        return min(TARGET, max(self._ready(queue.calls) / (slots * 2 if slots > 1 else 1), 2 * self.trip))

    def chain(self) -> float:
        """Seconds of work for a batch of calls that can run nowhere else before it is done."""
        return TARGET

    def _ready(self, calls: Mapping[AnyTask, int]) -> float:
        return sum(count * self.costs.get(task, TARGET) for task, count in calls.items())
