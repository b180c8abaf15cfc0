"""Batching: what is learned, and what follows from it."""

import pytest

from turgo import task
from turgo.engine.batching.budget import (
    BATCH_BYTES,
    CHAIN_TRIPS,
    GROWTH_TIMES,
    KEPT_BUSY_TIMES,
    LEAST_BATCH_SECONDS,
    LEAST_CALL_SECONDS,
    LEAST_TRIPS,
    LEFT_TIMES,
    LONGEST_CHAIN_SECONDS,
    MOST_FIRST_CALLS,
    TARGET_BATCH_SECONDS,
    Batching,
)
from turgo.engine.batching.price import KNOWN_AFTER_SUBMISSIONS
from turgo.engine.schedule.ready import Queue
from turgo.worker.batch import BATCH_SECONDS


@task
def one():
    return 1


@task
def two():
    return 2


def queue(**counts):
    made = Queue()
    made.calls = {{"one": one, "two": two}[name]: count for name, count in counts.items()}
    return made


def test_the_cost_of_a_call_is_learned_and_follows_what_comes():
    """The first batch says it, later ones move it."""
    batching = Batching()
    batching.learn(one, 10, 1.0)
    assert batching.costs[one] == pytest.approx(0.1)
    batching.learn(one, 1, 0.2)
    assert 0.1 < batching.costs[one] < 0.2
    for _ in range(200):
        batching.learn(one, 1, 0.2)
    assert batching.costs[one] == pytest.approx(0.2, rel=0.01)


def test_nothing_is_estimated_to_take_no_time():
    """A clock that shows no difference does not make batches endless."""
    batching = Batching()
    batching.learn(one, 1000, 0.0)
    assert batching.costs[one] == LEAST_CALL_SECONDS


@pytest.mark.parametrize(
    ("trip", "seconds"), [(0.0, TARGET_BATCH_SECONDS), (0.01, 0.5), (10.0, LONGEST_CHAIN_SECONDS)]
)
def test_a_chain_is_longer_where_a_round_trip_is(trip, seconds):
    """Fifty of them, within bounds."""
    batching = Batching()
    batching.load.trip = trip
    assert seconds <= batching.chain(2) <= seconds + CHAIN_TRIPS * batching.load.price
    assert batching.chain(1) == TARGET_BATCH_SECONDS


def test_a_batch_may_grow_with_what_was_seen():
    """Ten times as many calls."""
    batching = Batching()
    batching.learn(one, 1, 0.001)
    assert batching.most[one] == GROWTH_TIMES
    batching.learn(one, 10, 0.01)
    assert batching.most[one] == 11 * GROWTH_TIMES


def test_quick_calls_may_grow_faster():
    """A hundred times as many; no longer once they turn slow."""
    batching = Batching()
    batching.learn(one, 1, 1e-6)
    assert batching.most[one] == 10 * GROWTH_TIMES
    batching.learn(one, 1, 0.01)
    assert batching.most[one] == 2 * GROWTH_TIMES


def test_a_large_batch_counts_as_much_as_it_is():
    """The first few calls, which take longer, are soon forgotten."""
    batching = Batching()
    batching.learn(one, 1, 1e-3)
    batching.learn(one, 999, 999e-6)
    assert batching.costs[one] == pytest.approx(2e-6, rel=0.01)


def learned(batching, price, trip):
    """A run in which the price of a submission and the seconds of a round trip are known."""
    batching.load.by_line.seconds, batching.load.trip = price, trip
    batching.load.by_line.begun = KNOWN_AFTER_SUBMISSIONS


def budget(batching, ready, slots, price=0.0, trip=0.0):
    """The budget of the first batch, where submissions cost so much."""
    learned(batching, price, trip)
    return batching.budget(ready, slots, now=0.0)


def busy(budget, batching, ready, slots, **learned):
    """The same where each slot has something to do already, which is over at once."""
    for _ in range(slots):
        batching.load.submitted(0.0, 0.0, slots)
    return budget(batching, ready, slots, **learned)


def known(cost=0.001):
    """A run in which a call of `one` is known to take so many seconds."""
    batching = Batching()
    batching.learn(one, 1000, 1000 * cost)
    return batching


def test_no_batch_is_smaller_than_the_driver_can_make():
    """However many slots there are to spread a little work over."""
    assert budget(known(1e-6), queue(one=1000), slots=100) == LEAST_BATCH_SECONDS


def test_one_slot_gets_as_much_as_a_batch_may_hold():
    """Nobody else could run it, and there is room for what the ready calls make ready in their turn."""
    assert budget(known(), queue(one=100), slots=1) == TARGET_BATCH_SECONDS
    assert budget(known(), queue(one=10_000), slots=1) == TARGET_BATCH_SECONDS


def test_a_batch_is_worth_a_quarter_of_a_share_of_what_is_ready():
    """So that none idles at the end, but at least what a few round trips take, and no more than shows progress."""
    assert budget(known(), queue(one=100), slots=5, trip=1e-4) == pytest.approx(0.005)
    assert busy(budget, known(), queue(one=100), slots=5, trip=0.02) == pytest.approx(LEAST_TRIPS * 0.02)
    assert budget(known(), queue(one=100_000), slots=5, trip=0.002) == TARGET_BATCH_SECONDS


def test_a_slot_that_is_idle_gets_its_share_however_long_a_round_trip_is():
    """The calls would only wait for one another in one batch; unless submitting them costs more than that."""
    assert budget(known(), queue(one=100), slots=5, trip=0.02) == pytest.approx(0.02)
    assert budget(known(0.01), queue(one=2), slots=2, trip=0.02) == pytest.approx(0.01)
    assert budget(known(0.01), queue(one=2), slots=2, price=0.008, trip=0.02) == pytest.approx(0.016)


def test_where_submissions_are_cheap_a_batch_is_worth_no_more_than_a_hundred_of_them():
    """What waits in it behind a call that takes long could run elsewhere, and more calls in it would save little."""
    plenty = queue(one=100_000)
    assert budget(known(), plenty, slots=5, price=0.0001, trip=0.0002) == pytest.approx(100 * 0.0003)
    assert budget(known(0.01), plenty, slots=5) == LEAST_BATCH_SECONDS


def test_batches_are_short_and_none_is_queued_where_a_path_that_waits_needs_the_slots():
    """A call of three round trips is long then, and a batch is worth no more."""
    batching = known(0.03)
    learned(batching, 0.001, 0.004)
    assert batching.budget(queue(one=10_000), 4, 0.0) == TARGET_BATCH_SECONDS
    assert batching.budget(queue(one=10_000), 4, 0.0, presses=True) == pytest.approx(0.015)
    assert batching.is_long(one, urgent=True, presses=True) and not batching.is_long(one, urgent=True)


def test_a_batch_that_takes_twice_as_long_as_was_thought_begins_no_further_call():
    """Nor sooner than what it gives back is worth another submission; half a second where there is but one slot."""
    batching = known()
    learned(batching, 0.0001, 0.0002)
    assert batching.late_after(1.0, slots=5) == 2.0
    assert batching.late_after(0.001, slots=5) == pytest.approx(100 * 0.0003)
    batching.load.trip = 1.0
    assert batching.late_after(0.001, slots=5) == batching.late_after(0.001, slots=1) == BATCH_SECONDS


def test_a_batch_grows_with_the_slots_that_are_to_be_kept_busy_meanwhile():
    """To so many times the price of a submission for each of them, and never above a whole share."""
    plenty = queue(one=1_000_000)
    assert budget(known(), plenty, slots=100, price=0.002) == pytest.approx(KEPT_BUSY_TIMES * 0.2)
    assert budget(known(), plenty, slots=400, price=0.002) == pytest.approx(KEPT_BUSY_TIMES * 0.8)
    few = queue(one=1_000)
    assert budget(known(), few, slots=100, price=0.0001) == pytest.approx(
        1.0 / 100 + 100 * 0.0001 / 2 - 0.0001
    )


def test_what_would_be_left_of_a_share_is_not_left_where_its_submission_costs_more():
    """A second batch for each of 100 slots would take 0.2 s in line, and be worth 0.15."""
    for work, whole in ((45.0, True), (75.0, False)):
        share = (work + 100 * 100 * 0.002 / 2) / 100 - 0.002
        assert (share < (KEPT_BUSY_TIMES + LEFT_TIMES) * 0.2) is whole
        ready = queue(one=int(work * 1000))
        assert (budget(known(), ready, slots=100, price=0.002) == pytest.approx(share)) is whole


def test_a_price_that_is_only_guessed_makes_no_batch_longer():
    """What is known of the first calls is as little as what is known of the price."""
    batching = known()
    assert batching.budget(queue(one=1_000_000), 1_000, now=0.0) == LEAST_BATCH_SECONDS


def test_where_submissions_cost_more_than_work_only_some_slots_get_any():
    """Whole shares, each less than the one before by the price of a submission."""
    assert budget(known(), queue(one=1000), slots=10_000, price=0.002) == pytest.approx(
        (2 * 1.0 * 0.002) ** 0.5
    )


def test_a_task_that_is_not_known_counts_as_a_whole_batch():
    """So one unknown call for each is no reason to hold anything back."""
    assert Batching().budget(queue(two=1), slots=1, now=0.0) == TARGET_BATCH_SECONDS
    assert budget(Batching(), queue(two=100), slots=10, trip=0.002) == TARGET_BATCH_SECONDS


def test_a_single_call_that_is_much_longer_moves_the_cost_a_little():
    """A batch of many moves it more."""
    batching = known()
    batching.learn(one, 1, 0.1)
    assert batching.costs[one] < 0.005
    batching.learn(one, 100, 10.0)
    assert batching.costs[one] > 0.03


def test_heavy_values_make_small_batches():
    """A batch sends home no more than it may, however quick its calls are."""
    batching = Batching()
    batching.learn_size(one, BATCH_BYTES / 4)
    batching.learn(one, 1000, 0.001)
    assert batching.most[one] == 4
    batching.learn_size(one, BATCH_BYTES * 10)
    batching.learn(one, 1, 0.001)
    assert batching.most[one] == 1


@pytest.mark.parametrize(
    ("ready", "slots", "together"),
    [(1, 1, 1), (200, 2, 1), (10_000, 2, 25), (10_000, 100, 1), (10**7, 2, MOST_FIRST_CALLS)],
)
def test_of_an_unknown_task_a_few_calls_go_together_where_there_are_very_many(ready, slots, together):
    """A small part of what a slot is to get, and never many."""
    assert Batching().first_calls(ready, slots) == together


def test_a_batch_of_which_nothing_is_known_stops_at_once_if_its_calls_are_no_quick_ones():
    """The others in it run elsewhere then."""
    assert Batching().late_after(0.0, slots=1) == Batching().late_after(0.0, slots=5) == LEAST_BATCH_SECONDS
