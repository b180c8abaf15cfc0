"""Estimates an executor's load, as the driver can know it. Covers the work of its slots and a submission's cost. Pure.

Each submission takes the driver, the scheduler and the network some *serial* time, its price: however many slots there
are, submissions reach them one after the other. A line of them is modelled here, and the slots behind it:

    submit ──> │ │ │ │ ──price──> running, one to a slot ──> done
               the line               └──── queued: a second one for a slot

    delay of the line     what it holds times the price; nothing more is submitted while that is above BACKLOG_SECONDS
    price, by the line    from how long submissions for idle slots take to begin: see `price`
    price, by the driver  what it does for each submission before that is in line: see `driver_time`
    price, by the slots   where each slot has a second submission queued and waits for it nevertheless, the price is
                          what passes between two submissions, over all slots
    share                 seconds of work for each slot, if all of them are to end at the same time
"""

from __future__ import annotations

from heapq import nsmallest
from math import inf, sqrt

from turgo.engine.batching.driver_time import DriverTime
from turgo.engine.batching.price import Place, Price

BACKLOG_SECONDS = 0.02
"""What the line may hold: enough that the scheduler never waits for the driver, and no more, as later batches are
made with more knowledge."""

FEW_SLOTS = 16
"""It may hold one for each slot where there are no more of them: the price may be thought too high."""

LEFT_SHARE = 0.25
"""What is left of that when it is filled again. So submissions wait for different times, which tells the price."""

SHORTEST_WAIT_SECONDS = 1e-4
"""A shorter wait is none: a clock may not even show it."""

TRIP_GROWTH_FACTOR = 1.05
"""How much longer the quickest round trip is thought to be with each that is not quicker: a network may get slower."""

FIRST_TRIP_SECONDS = 0.02
"""No round trip is thought to be longer than that by the first call of a slot alone."""

PRICE_WEIGHT_SHARE = 0.3
"""How much one more observation counts in the price."""

IDLE_SHARE = 0.05
"""Slots that wait for so much of the time, although more is submitted, wait for the line."""

GAP_TRIPS = 2.0
"""But not those that wait for fewer round trips: where the next call is sent as one returns, each waits for one."""

EARLY_TIMES = 4.0
"""How many times as soon as it has to be all is submitted that waits for busy slots: the line is busy with other things
for the rest of the time."""


class Ticket:
    """A submission in the line.

    number: of the submission. place: in the line. before: seconds of line that it had before it. idle: whether a
    slot was free for it. seconds: of work that are thought to be in it. ends: when that is thought to be done, once it
    runs. leads: seconds of the longest path that waits for it.
    """

    __slots__ = ("before", "ends", "idle", "leads", "number", "place", "seconds", "submitted")

    def __init__(
        self,
        number: int,
        place: Place,
        submitted: float,
        before: float,
        idle: bool,
        seconds: float,
        ends: float,
        leads: float,
    ) -> None:
        self.number = number
        self.place = place
        self.submitted = submitted
        self.before = before
        self.idle = idle
        self.seconds = seconds
        self.ends = ends
        self.leads = leads


class Load:
    """What is under way on one executor.

    trip: seconds of the quickest round trip. by_line: the price as the line tells it. driver: what the driver itself
    spends on each.
    """

    def __init__(self) -> None:
        self.trip = 0.0
        self.by_line = Price()
        self.driver = DriverTime()
        self._by_slots = 0.0
        self._filling = True
        self._used = 0
        self._trips = 0
        self._count = 0
        self._line_ends = 0.0
        self._running: set[Ticket] = set()
        self._ends = 0.0
        self._queued: dict[Ticket, None] = {}
        self._queued_seconds = 0.0
        self._slot_ends: dict[str, float] = {}
        self._gap = 0.0
        self._work = 0.0

    @property
    def price(self) -> float:
        """Serial seconds of a submission."""
        return max(self.by_line.seconds, self._by_slots, self.driver.seconds)

    @property
    def known_price(self) -> float:
        """The same, without what is a guess."""
        return max(self._by_slots, self.driver.seconds) if self.by_line.guess else self.price

    def delay(self, now: float) -> float:
        """Seconds until the line is empty, if nothing more is submitted."""
        return max(0.0, self._line_ends - now)

    def wait(self, now: float, slots: int) -> float:
        """Seconds until more should be submitted."""
        backlog = max(BACKLOG_SECONDS, self.trip, slots * self.price if slots <= FEW_SLOTS else 0.0)
        line = self._line_ends - now
        if self._filling and line > backlog:
            self._filling = False
        elif not self._filling and line <= LEFT_SHARE * backlog + SHORTEST_WAIT_SECONDS:
            self._filling = True
        return 0.0 if self._filling else line - LEFT_SHARE * backlog

    def submitted(self, now: float, seconds: float, slots: int, leads: float = 0.0) -> Ticket:
        """A batch of so many seconds of work was submitted. leads: seconds of the longest path that waits for it."""
        while self._queued and len(self._running) < slots:  # there are more slots than before
            self._begin_queued(now)
        before = self.delay(now)
        self._line_ends = now + before + self.price
        self._count += 1
        idle = len(self._running) < slots
        place = self.by_line.submitted(now, counts=idle)
        ticket = Ticket(self._count, place, now, before, idle, seconds, self._line_ends + seconds, leads)
        if ticket.idle:
            self._run(ticket)
        else:
            self._queued[ticket] = None
            self._queued_seconds += seconds
        return ticket

    def done(self, ticket: Ticket, now: float) -> None:
        """A batch came back, or was lost; the oldest one that is queued takes its slot.

        Only what was submitted after it can still be in line.
        """
        self._line_ends = min(self._line_ends, now + (self._count - ticket.number) * self.price)
        if ticket in self._running:
            self._running.remove(ticket)
            self._ends -= ticket.ends
            if self._queued:
                self._begin_queued(now)
        elif ticket in self._queued:
            self._unqueue(ticket)

    def _begin_queued(self, now: float) -> None:
        """The oldest one that is queued has a slot."""
        following = next(iter(self._queued))
        self._unqueue(following)
        following.ends = now + following.seconds
        self._run(following)

    def _run(self, ticket: Ticket) -> None:
        self._running.add(ticket)
        self._ends += ticket.ends

    def _unqueue(self, ticket: Ticket) -> None:
        del self._queued[ticket]
        self._queued_seconds -= ticket.seconds

    def idle(self, slots: int) -> bool:
        """Whether a slot is free, of those that are there or of those to come; none is while something is queued."""
        return not self._queued and len(self._running) < slots

    def begins(self, now: float) -> float:
        """When a slot is thought to be free for what would be queued now; it takes a look at all of them."""
        ends = nsmallest(len(self._queued) + 1, (ticket.ends for ticket in self._running))
        return max([now, *ends[-1:]])

    def goes_on(self, rank: float) -> float:
        """When a path of more than so many seconds is thought to go on that waits for what is under way."""
        under_way = (*self._running, *self._queued)
        return min((ticket.ends for ticket in under_way if ticket.leads > rank), default=inf)

    def share(self, ready: float, slots: int, now: float) -> float:
        """Seconds of work for the next batch, with which all slots would end together.

        ready: seconds of work that can be submitted. Where so many slots are idle that the work would be done before
        the line could reach the last of them, only as many get work as make it the earliest end.
        """
        idle = slots - len(self._running) if self.idle(slots) else 0
        delay = self.delay(now)
        few = sqrt(2 * ready * self.price)
        if few < idle * self.price:
            return few
        under_way = max(0.0, self._ends - len(self._running) * now) + self._queued_seconds
        if not idle:
            return max(ready / slots, self._in_time(ready, under_way / slots))
        line = idle * delay + idle * idle * self.price / 2
        return (ready + under_way + line) / slots - (delay + self.price)

    def _in_time(self, ready: float, until: float) -> float:
        """Seconds of work for a batch, so that the last one is submitted before the slots have done what they have.

        until: seconds of work that each slot has. If that is too little, some slots get nothing more.
        """
        return min(sqrt(ready * self.price), EARLY_TIMES * ready * self.price / until if until else inf)

    def returned(self, ticket: Ticket, when: float, spent: float, slot: str = "") -> None:
        """Learn from a batch that came back: it took so many seconds of work, and was away longer than that.

        slot: where it ran. The first one there also waits until code is loaded.
        """
        if not ticket.idle:
            return
        away = max(when - ticket.submitted - spent, 0.0)
        if slot and slot not in self._slot_ends:
            away = min(away, FIRST_TRIP_SECONDS)
        if not self._trips or ticket.before < SHORTEST_WAIT_SECONDS:
            self._trips += 1
            self.trip = away if self._trips == 1 else min(self.trip * TRIP_GROWTH_FACTOR, away)
        self.by_line.began(ticket.place, when - spent - ticket.submitted)

    def slot_used(self, slot: str, began: float, ended: float, ticket: Ticket, slots: int) -> None:
        """Learn from when a slot ran a batch, by its own clock: from how long it waited after the one before."""
        before = self._slot_ends.get(slot)
        self._slot_ends[slot] = ended
        if before is None or ticket.idle or began < before:
            return
        self._used += 1
        weight = max(PRICE_WEIGHT_SHARE / slots, 1 / self._used)
        self._gap += weight * (began - before - self._gap)
        self._work += weight * (ended - began - self._work)
        if self._gap <= max(IDLE_SHARE * (self._gap + self._work), GAP_TRIPS * self.trip):
            self._by_slots -= weight * self._by_slots  # what was the matter is over
            return
        price = (self._gap + self._work) / slots
        if price > self.price:
            self._by_slots = self.price + PRICE_WEIGHT_SHARE * (price - self.price)
