"""Batching: how many calls go into the next submission, learned from what earlier ones took. Pure.

The price of a submission is paid per submission (some 10 µs for a thread, 2 ms for a cluster), so few should be made;
but a worker must not idle because another got too much. What is known, and what follows from it:

    seconds for a call of each task     a task that is not known yet goes one call at a time
    bytes of its values, sent home      a batch holds so many calls that they are at most HEAVIEST
    calls of it that were seen          a batch holds at most ten times as many: the first few may not be typical;
                                        a hundred times as many if they are quick
    seconds that a round trip costs     a batch is worth at least two of them, however many workers idle meanwhile,
                                        and at least LEAST, as the driver has its own work with each
    calls that are ready, free slots    a batch is worth at most a fair share of the ready work, if others could run
                                        the rest of it
    TARGET                              and never more than this: progress shows, and little is lost with a worker

Where all of that was wrong, since a task became slow, the batch itself stops and gives the rest back: `batch.LIMIT`.
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.engine.queues import Queue
from penstock.flows.task import AnyTask

TARGET = 0.2
"""Seconds of work in a batch, once the task is known."""

LEAST = 1e-3
"""Seconds of work in a batch, if there is so much: a driver that makes smaller ones is busy with nothing else."""

GROWTH = 10
"""How many times as many calls as were seen may go into a batch."""

QUICK = 2e-5
"""Seconds. Of calls that take less, which make no large values either, ten times as many as that may."""

WEIGHT = 0.3
"""How much a new batch counts in what a call is thought to take; as its share of all calls seen, if that is more."""

HEAVIEST = 16 * 2**20
"""Bytes; values of a batch that are sent home together are not to be more."""

HEAVIEST_THERE = 4 * HEAVIEST
"""Bytes; nor are those that stay where they were made, as whoever takes one from elsewhere may have to take all."""

QUICKEST = 1e-7
"""Seconds; nothing is estimated to be quicker, as clocks cannot tell."""


class Batching:
    """What a run has learned about its tasks and its executor."""

    def __init__(self, heaviest: int = HEAVIEST) -> None:
        self.heaviest = heaviest
        self.costs: dict[AnyTask, float] = {}
        self.most: dict[AnyTask, int] = {}
        self.trip = 0.0
        self._seen: dict[AnyTask, int] = {}
        self._sizes: dict[AnyTask, float] = {}

    def learn(self, task: AnyTask, calls: int, seconds: float) -> None:
        """So many calls of a task took so long, one after the other."""
        each = max(seconds / calls, QUICKEST)
        known = self.costs.get(task, each)
        seen = self._seen[task] = self._seen.get(task, 0) + calls
        cost = self.costs[task] = known + max(WEIGHT, calls / seen) * (each - known)
        most = seen * GROWTH * (10 if cost < QUICK else 1)
        fits = int(self.heaviest / self._sizes[task]) if self._sizes.get(task) else most
        self.most[task] = max(1, min(most, fits))

    def learn_size(self, task: AnyTask, size: float) -> None:
        """A value of a task took so many bytes on its way home."""
        known = self._sizes.get(task)
        self._sizes[task] = size if known is None else known + WEIGHT * (size - known)

    def learn_trip(self, seconds: float) -> None:
        """A submission took so much longer than the work in it. The quickest counts: the others may have queued."""
        self.trip = seconds if not self.trip else min(self.trip * 1.05, seconds)

    def budget(self, queue: Queue, slots: int) -> float:
        """Seconds of work for the next batch from `queue`, on an executor that can run `slots` calls at once."""
        if slots == 1:
            return TARGET  # nobody else could take a share, and what the batch itself makes ready may join it
        return min(TARGET, max(self._ready(queue.calls) / (2 * slots), 2 * self.trip, LEAST))

    def chain(self) -> float:
        """Seconds of work for a batch of calls that can run nowhere else before it is done."""
        return TARGET

    def _ready(self, calls: Mapping[AnyTask, int]) -> float:
        return sum(count * self.costs.get(task, TARGET) for task, count in calls.items())
