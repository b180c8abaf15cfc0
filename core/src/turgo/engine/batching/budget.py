"""The budget says how many calls the next batch may hold. It is learned from how long earlier ones took. Pure.

The price of a submission is paid per submission (some 10 µs for a thread, 2 ms for a cluster), and one after the other,
so few should be made; but a worker must not idle because another got too much. What is known, and what follows from it:

    seconds for a call of each task     a task that is not known yet goes one call at a time; of very many a few go
                                        together, and stop as soon as they are no quick ones: see `first_calls`
    bytes of its values, reported       a batch holds so many calls that they are at most BATCH_BYTES
    calls of it that were seen          a batch holds at most ten times as many: the first few may not be typical;
                                        a hundred times as many if they are quick
    share of the work for each slot     a batch gets a quarter of its slot's share; the rest is kept back to correct
                                        wrong estimates (guided self-scheduling). It is never worth more than
                                        TARGET_BATCH_SECONDS, so that progress shows and little is lost with a worker,
                                        nor more than ENOUGH_TRIPS round trips
    price x slots                       it is worth at least KEPT_BUSY_TIMES as much, up to a whole share: meanwhile
                                        all other slots can get a batch too; and a whole share, if what would be left
                                        of it is worth less than submitting it costs. See `load`
                                        CHAIN_TRIPS of them if it is a chain of calls, as these can run nowhere else
    seconds that a round trip takes     it is worth at least three of them, but no more than a share if a slot is idle;
                                        and at least LEAST_BATCH_SECONDS, as the driver has its own work with each

Where all of that was wrong, since a task became slow, it stops itself and gives the rest back: see `worker.batch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from turgo.engine.batching.load import Load
from turgo.engine.schedule.ready import Queue
from turgo.flows.task import AnyTask
from turgo.worker.batch import BATCH_SECONDS

TARGET_BATCH_SECONDS = 0.2
"""Seconds of work in a batch, once the task is known, where submissions are cheap enough."""

FIRST_SHARE = 1 / 4
"""What a batch gets of the share of its slot: the rest evens out what was wrong, as two long calls in one batch."""

KEPT_BUSY_TIMES = 2.0
"""How many times the price of a submission to every slot a batch is worth: the line is half busy then."""

LEFT_TIMES = 1.0
"""What is left of a share for later is worth so many times the price of a submission to every slot, or none is left."""

LONG_CALL_TIMES = 50.0
"""How many times as long as a round trip a call takes that waits for a free slot here and not there."""

URGENT_CALL_TIMES = 10.0
"""The same where the longest path decides when the run ends."""

LATE_TIMES = 2.0
"""A batch begins no further call after so many times the seconds of work that are thought to be in it."""

ENOUGH_TRIPS = 100.0
"""How many times as long as a round trip a batch takes at most, if it need not keep others busy. A longer one would
save little, and what waits in it behind a call that takes long could run elsewhere."""

CHAIN_TRIPS = 50.0
"""How many times as long as a round trip a batch takes of calls that nobody else could run meanwhile."""

LONGEST_CHAIN_SECONDS = 1.0
"""But no longer, so that progress shows and little is lost with a worker."""

PRESSING_CALL_TIMES = 3.0
"""The same where that path presses; and how many times as long as a round trip a batch takes then."""

LEAST_TRIPS = 3.0
"""How many times as long as a round trip a batch takes at least: a part of one passes also between two batches. Where
a slot is idle it takes no more than a share, as what would wait in it for the calls before can run there."""

IDLE_PRICES = 2.0
"""But at least so many times what submitting it costs: the line would be longer than what is to be saved."""

LEAST_BATCH_SECONDS = 1e-3
"""Seconds of work in a batch, if there is so much: a driver that makes smaller ones is busy with nothing else."""

GROWTH_TIMES = 10
"""How many times as many calls as were seen may go into a batch."""

QUICK_CALL_SECONDS = 2e-5
"""Of calls that take less, which make no large values either, ten times as many as that may."""

COST_WEIGHT_SHARE = 0.3
"""How much a new batch counts in what a call is thought to take; as its share of all calls seen, if that is more."""

RECENT_CALLS = 30
"""A batch of fewer calls counts less, by each call: a single one may be a hundred times as long as the others."""

FIRST_CALLS_SHARE = 1 / 200
"""Of a task that is not known, the share of what its slot is to get that goes together. It is so little that nothing is
lost if it waits for the first of them, and it tells more than a single call where all together are quick."""

MOST_FIRST_CALLS = 50
"""But no more of them, as nobody knows how large their values are either."""

BATCH_BYTES = 16 * 2**20
"""Values of a batch that are sent to the driver together are not to be more."""

REMOTE_BATCH_BYTES = 4 * BATCH_BYTES
"""Nor are those that stay where they were made, as whoever takes one from elsewhere may have to take all."""

LEAST_CALL_SECONDS = 1e-7
"""No call is estimated to be quicker, as clocks cannot measure less."""


class Batching:
    """What a run has learned about its tasks and its executor."""

    def __init__(self, heaviest: int = BATCH_BYTES) -> None:
        self.heaviest = heaviest
        self.costs: dict[AnyTask, float] = {}
        self.most: dict[AnyTask, int] = {}
        self._seen: dict[AnyTask, int] = {}
        self._sizes: dict[AnyTask, float] = {}

    @cached_property
    def load(self) -> Load:
        """What is on its way to the slots; where there is but one, nobody asks."""
        return Load()

    def learn(self, task: AnyTask, calls: int, seconds: float) -> None:
        """So many calls of a task took so long, one after the other."""
        each = max(seconds / calls, LEAST_CALL_SECONDS)
        known = self.costs.get(task, each)
        seen = self._seen[task] = self._seen.get(task, 0) + calls
        weight = max(min(COST_WEIGHT_SHARE, calls / RECENT_CALLS), calls / seen)
        cost = self.costs[task] = known + weight * (each - known)
        most = seen * GROWTH_TIMES * (10 if cost < QUICK_CALL_SECONDS else 1)
        fits = int(self.heaviest / self._sizes[task]) if self._sizes.get(task) else most
        self.most[task] = max(1, min(most, fits))

    def learn_size(self, task: AnyTask, size: float) -> None:
        """A value of a task took so many bytes on its way to the driver."""
        known = self._sizes.get(task)
        self._sizes[task] = size if known is None else known + COST_WEIGHT_SHARE * (size - known)

    def budget(self, queue: Queue, slots: int, now: float, presses: bool = False) -> float:
        """Seconds of work for the next batch from `queue`, on an executor that can run `slots` calls at once.

        presses: whether slots should become free soon, as the longest path needs them.
        """
        if slots == 1:
            return TARGET_BATCH_SECONDS  # nobody else could take a share, and what it makes ready may join it
        load = self.load
        share = load.share(self._ready(queue.calls), slots, now)
        price = load.known_price  # a guess makes no batch longer
        times = PRESSING_CALL_TIMES if presses else ENOUGH_TRIPS
        enough = min(TARGET_BATCH_SECONDS, times * (load.trip + price))
        keeps_busy = KEPT_BUSY_TIMES * slots * price
        if share - keeps_busy < LEFT_TIMES * slots * price:
            keeps_busy = share  # what would be left costs more to submit than it is worth
        worth = min(share, max(min(share * FIRST_SHARE, enough), keeps_busy))
        least = LEAST_TRIPS * load.trip
        if load.idle(slots):
            least = max(min(share, least), IDLE_PRICES * price)
        return max(worth, least, LEAST_BATCH_SECONDS)

    def late_after(self, seconds: float, slots: int) -> float:
        """Seconds after which a batch, in which so many seconds of work are thought to be, begins no further call.

        seconds: 0 if nobody knows.
        """
        if not seconds:
            return LEAST_BATCH_SECONDS
        least = BATCH_SECONDS
        if slots > 1:
            least = min(least, ENOUGH_TRIPS * (self.load.trip + self.load.price))
        return max(least, LATE_TIMES * seconds)

    def first_calls(self, ready: int, slots: int) -> int:
        """How many calls may go together of a task of which nothing is known; ready: how many there are."""
        return max(1, min(MOST_FIRST_CALLS, int(ready / slots * FIRST_CALLS_SHARE)))

    def is_long(self, task: AnyTask, urgent: bool, presses: bool = False) -> bool:
        """Whether a call of a task takes so long that a round trip beside it is little; none is queued for a slot then.

        What is more urgent may become ready before the slot is free. A task that is not known may be long.
        urgent: whether that is so likely that more of the time may be lost for it. presses: still more.
        """
        cost, times = self.costs.get(task), URGENT_CALL_TIMES if urgent else LONG_CALL_TIMES
        times = PRESSING_CALL_TIMES if presses else times
        return cost is None or cost >= times * (self.load.trip + self.load.price)

    def chain(self, slots: int) -> float:
        """Seconds of work for a batch of calls each of which only the next one waits for, and that for nothing else."""
        if slots == 1:
            return TARGET_BATCH_SECONDS
        trips = CHAIN_TRIPS * (self.load.trip + self.load.price)
        return max(TARGET_BATCH_SECONDS, min(trips, LONGEST_CHAIN_SECONDS))

    def _ready(self, calls: Mapping[AnyTask, int]) -> float:
        return sum(count * self.costs.get(task, TARGET_BATCH_SECONDS) for task, count in calls.items())
