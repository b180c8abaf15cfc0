"""The load of an executor: the line of submissions, its price, and the share of each slot."""

from math import inf

import pytest

from turgo.engine.batching.load import (
    BACKLOG_SECONDS,
    EARLY_TIMES,
    FEW_SLOTS,
    FIRST_TRIP_SECONDS,
    IDLE_SHARE,
    LEFT_SHARE,
    Load,
)
from turgo.engine.batching.price import FIRST_PRICE_SECONDS, LEAST_PRICE_SECONDS


class Line:
    """An executor with a serial price of its own, beside the load that learns it. Idle slots without end."""

    def __init__(self, price, trip=0.005, slots=1_000):
        self.load, self.price, self.trip, self.slots = Load(), price, trip, slots
        self.now = self.free = 0.0
        self.under_way = []

    def submit(self, count, seconds=0.1):
        """Submit batches at this very moment."""
        for _ in range(count):
            self.free = max(self.free, self.now) + self.price
            ticket = self.load.submitted(self.now, seconds, self.slots)
            self.under_way.append((self.free + seconds + self.trip, ticket, seconds))

    def run(self):
        """Let all of them come back."""
        for when, ticket, seconds in sorted(self.under_way, key=lambda each: each[0]):
            self.now = max(self.now, when)
            self.load.done(ticket, when)
            self.load.returned(ticket, when, seconds)
        self.under_way.clear()


@pytest.mark.parametrize("price", [0.0001, 0.003, 0.02])
def test_the_price_is_learned_from_batches_that_begin_one_after_the_other(price):
    """Whether it is more or less than was thought at first; jitter aside, exactly."""
    line = Line(price)
    for _ in range(20):
        line.submit(10)
        line.run()
    assert line.load.price == pytest.approx(price, rel=0.05)


def test_the_price_comes_down_where_a_submission_does_not_wait():
    """Though they are so far apart that no two of them are ever in line together."""
    line = Line(0.0001)
    line.load.by_line.seconds = 0.5
    for _ in range(40):
        line.submit(2)
        line.run()
    assert line.load.price < 0.01


def test_nothing_is_submitted_while_the_line_is_long():
    """Until little of it is left; a clock that does not move cannot be waited for."""
    load = Load()
    for _ in range(30):
        load.submitted(0.0, 1.0, slots=1_000)
    assert load.delay(0.0) == pytest.approx(30 * FIRST_PRICE_SECONDS)
    wait = load.wait(0.0, 1_000)
    assert wait == pytest.approx(30 * FIRST_PRICE_SECONDS - LEFT_SHARE * BACKLOG_SECONDS)
    assert load.wait(wait / 2, 1_000) == pytest.approx(wait / 2)
    assert load.wait(wait, 1_000) == 0.0 == load.wait(wait - 1e-9, 1_000)
    for _ in range(3):  # it is filled again
        load.submitted(wait, 1.0, slots=1_000)
        assert load.wait(wait, 1_000) == 0.0


def test_a_line_may_last_as_long_as_a_round_trip():
    """Where what is known comes late, more is under way."""
    load = Load()
    load.trip = 4 * BACKLOG_SECONDS
    for _ in range(30):
        load.submitted(0.0, 1.0, slots=1_000)
        assert load.wait(0.0, 1_000) == 0.0


def test_the_quickest_round_trip_counts_and_may_rise_again():
    """Others may have queued; a network that got slower is noticed in time. Of those in a line it says nothing."""
    load = Load()
    for away in (0.5, 0.002, 0.9):
        ticket = load.submitted(load._line_ends, 0.0, slots=4)
        load.done(ticket, 1.0)
        load.returned(ticket, ticket.submitted + away, 0.0)
    assert load.trip == pytest.approx(0.0021)


def test_the_first_call_of_a_slot_says_little_of_the_round_trip():
    """It waited until its worker had loaded what it needs; the second one says it."""
    load = Load()
    trips = []
    for slot, away in (("a", 0.8), ("b", 0.01), ("a", 0.004)):
        ticket = load.submitted(load._line_ends, 0.0, slots=4)
        load.done(ticket, 1.0)
        load.returned(ticket, ticket.submitted + away, 0.0, slot)
        load.slot_used(slot, 1.0, 1.0, ticket, 4)
        trips.append(load.trip)
    assert trips == pytest.approx([FIRST_TRIP_SECONDS, 0.01, 0.004])


def test_all_slots_end_together_if_each_batch_is_a_whole_share():
    """The first begins first and gets the most; where the line is too slow for all slots, only some get any."""
    for ready, slots in ((100.0, 50), (1.0, 1_000)):
        load = Load()
        load.by_line.seconds = 0.01
        ends = []
        while (share := load.share(ready, slots, 0.0)) > load.price and len(ends) < slots:
            ready -= share
            ends.append(load.submitted(0.0, share, slots).ends)
        assert max(ends) - min(ends) < 2 * load.price
        assert ready < 0.2 and (len(ends) < slots or slots == 50)


def test_work_that_is_under_way_counts_in_the_share_of_a_slot_that_is_free():
    """All end together: a slot that is free early gets what the others have still to do besides."""
    load = Load()
    load.by_line.seconds = 0.0
    tickets = [load.submitted(0.0, 10.0, slots=4) for _ in range(4)]
    load.done(tickets.pop(), 4.0)
    assert load.share(10.0, 4, 4.0) == pytest.approx((10.0 + 3 * 6.0) / 4)


def test_what_is_left_is_submitted_before_the_slots_have_done_what_they_have():
    """In fewer batches than there are slots, if the line is too slow for one each."""
    load = Load()
    load.by_line.seconds = 0.01
    for _ in range(100):
        load.submitted(0.0, 1.0, slots=100)
    now = load.delay(0.0)
    left = load._ends / 100 - now
    assert load.share(500.0, 100, now) == pytest.approx(5.0)
    assert load.share(0.1, 100, now) == pytest.approx(EARLY_TIMES * 0.1 * 0.01 / left)
    assert load.share(10.0, 100, 100.0) == pytest.approx((10.0 * 0.01) ** 0.5)


def test_a_second_submission_for_a_slot_begins_when_the_first_is_done():
    """The oldest first; one that is lost while it is queued takes nobody's slot."""
    load = Load()
    load.by_line.seconds = 0.0
    first, second, third = (load.submitted(0.0, 10.0, slots=1) for _ in range(3))
    assert (first.idle, second.idle, third.idle) == (True, False, False)
    load.done(second, 1.0)
    load.done(first, 10.0)
    assert third.ends == 20.0
    load.done(third, 20.0)
    assert load.share(5.0, 1, 20.0) == pytest.approx(5.0)


def test_what_is_queued_begins_on_slots_that_come():
    """The oldest first; only once nothing is queued is a slot free for what is submitted."""
    load = Load()
    load.by_line.seconds = 0.0
    first, second, third = (load.submitted(0.0, 10.0, slots=1) for _ in range(3))
    assert (first.idle, second.idle, third.idle) == (True, False, False)
    assert not load.idle(4) and load.share(8.0, 4, 0.0) == pytest.approx(2.0)
    assert not load.submitted(5.0, 10.0, slots=3).idle
    assert [second.ends, third.ends] == [15.0, 15.0]
    assert load.submitted(6.0, 10.0, slots=6).idle


def test_slots_that_wait_although_more_is_submitted_raise_the_price():
    """To what passes between two submissions over all slots; gaps of slots that had nothing queued say nothing."""
    load = Load()
    load.by_line.seconds = LEAST_PRICE_SECONDS
    slots, work, gap = 10, 0.1, 0.1
    for queued in (False, True):
        tickets = [load.submitted(0.0, work, slots if queued else 10**6) for _ in range(10 * slots)]
        for turn in range(30):
            for slot in range(slots):
                began = (100 * queued + turn) * (work + gap)
                load.slot_used(f"{queued} {slot}", began, began + work, tickets[-1], slots)
        if not queued:
            assert load.price == LEAST_PRICE_SECONDS
    assert load.price == pytest.approx((work + gap) / slots, rel=0.2)
    assert gap > IDLE_SHARE * (gap + work)


def test_a_wait_shorter_than_a_round_trip_is_none_for_the_line():
    """However much of the time it takes: what is queued may still have to travel when its slot is free."""
    load = Load()
    load.by_line.seconds = LEAST_PRICE_SECONDS
    load.trip, slots, work, gap = 0.02, 8, 0.1, 0.015
    tickets = [load.submitted(0.0, work, slots) for _ in range(2 * slots)]
    for turn in range(30):
        for slot in range(slots):
            load.slot_used(f"{slot}", turn * (work + gap), turn * (work + gap) + work, tickets[-1], slots)
    assert load.price == LEAST_PRICE_SECONDS
    assert gap > IDLE_SHARE * (gap + work)


def test_each_of_a_few_slots_has_a_submission_however_dear_it_is_thought_to_be():
    """They would idle for a price that was learned from a hiccup; many would be more than is known how to fill."""
    for slots, most in ((FEW_SLOTS, FEW_SLOTS + 1), (1_000, 1)):
        load, submitted = Load(), 0
        load.by_line.seconds = 0.0625
        while load.wait(0.0, slots) == 0.0:
            load.submitted(0.0, 1.0, slots)
            submitted += 1
        assert submitted == most


def test_what_is_queued_begins_when_a_slot_is_free_for_it():
    """That of the batch that ends first, and of the next one if another is queued already; now if one is overdue."""
    load = Load()
    load.by_line.seconds = 0.0
    for seconds in (3.0, 1.0, 2.0):
        load.submitted(0.0, seconds, slots=3)
    assert load.begins(0.0) == 1.0 and load.begins(1.5) == 1.5
    load.submitted(0.0, 1.0, slots=3)
    assert load.begins(0.0) == 2.0


def test_a_path_goes_on_when_the_first_batch_that_it_waits_for_ends():
    """Shorter paths do not count; never, as far as is known, if none waits."""
    load = Load()
    load.by_line.seconds = 0.0
    for seconds, leads in ((1.0, 0.5), (3.0, 7.0), (2.0, 5.0)):
        load.submitted(0.0, seconds, 3, leads)
    assert [load.goes_on(rank) for rank in (0.1, 0.5, 5.0, 7.0)] == [1.0, 2.0, 3.0, inf]


def test_what_slots_waited_for_once_is_forgotten():
    """A hiccup makes batches longer for a while, and not for the rest of the run."""
    load = Load()
    load.by_line.seconds = LEAST_PRICE_SECONDS
    tickets = [load.submitted(0.0, 0.1, slots=4) for _ in range(8)]
    now = 0.0
    for turn in range(400):
        for slot in range(4):
            load.slot_used(f"{slot}", now, now + 0.1, tickets[-1], slots=4)
        now += 0.15 if turn < 40 else 0.1
        if turn == 39:
            assert load.price > 0.01
    assert load.price < 0.002
