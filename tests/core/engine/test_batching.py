"""Batching: what is learned, and what follows from it."""

import pytest

from penstock import task
from penstock.engine.batching import GROWTH, HEAVIEST, LEAST, QUICKEST, TARGET, Batching
from penstock.engine.queues import Queue


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
    for _ in range(50):
        batching.learn(one, 1, 0.2)
    assert batching.costs[one] == pytest.approx(0.2, rel=0.01)


def test_nothing_is_estimated_to_take_no_time():
    """A clock that shows no difference does not make batches endless."""
    batching = Batching()
    batching.learn(one, 1000, 0.0)
    assert batching.costs[one] == QUICKEST


def test_a_batch_may_grow_with_what_was_seen():
    """Ten times as many calls."""
    batching = Batching()
    batching.learn(one, 1, 0.001)
    assert batching.most[one] == GROWTH
    batching.learn(one, 10, 0.01)
    assert batching.most[one] == 11 * GROWTH


def test_quick_calls_may_grow_faster():
    """A hundred times as many; no longer once they turn slow."""
    batching = Batching()
    batching.learn(one, 1, 1e-6)
    assert batching.most[one] == 10 * GROWTH
    batching.learn(one, 1, 0.01)
    assert batching.most[one] == 2 * GROWTH


def test_a_large_batch_counts_as_much_as_it_is():
    """The first few calls, which take longer, are soon forgotten."""
    batching = Batching()
    batching.learn(one, 1, 1e-3)
    batching.learn(one, 999, 999e-6)
    assert batching.costs[one] == pytest.approx(2e-6, rel=0.01)


def test_no_batch_is_smaller_than_the_driver_can_make():
    """However many slots there are to spread a little work over."""
    batching = Batching()
    batching.learn(one, 10, 1e-5)
    assert batching.budget(queue(one=1000), slots=100) == LEAST


def test_one_slot_gets_as_much_as_a_batch_may_hold():
    """Nobody else could run it, and there is room for what the ready calls make ready in their turn."""
    batching = Batching()
    batching.learn(one, 1, 0.001)
    assert batching.budget(queue(one=100), slots=1) == TARGET
    assert batching.budget(queue(one=10_000), slots=1) == TARGET


def test_several_slots_get_a_fair_share_each():
    """So that none idles, but at least what a round trip is worth."""
    batching = Batching()
    batching.learn(one, 1, 0.001)
    assert batching.budget(queue(one=100), slots=5) == pytest.approx(0.01)
    batching.learn_trip(0.02)
    assert batching.budget(queue(one=100), slots=5) == pytest.approx(0.04)


def test_a_task_that_is_not_known_counts_as_a_whole_batch():
    """So one unknown call for each is no reason to hold anything back."""
    assert Batching().budget(queue(two=1), slots=1) == TARGET


def test_the_quickest_round_trip_counts_and_may_rise_again():
    """Others may have queued; a cluster that got slower is noticed in time."""
    batching = Batching()
    for seconds in (0.5, 0.002, 0.9):
        batching.learn_trip(seconds)
    assert batching.trip == pytest.approx(0.0021)


def test_heavy_values_make_small_batches():
    """A batch sends home no more than it may, however quick its calls are."""
    batching = Batching()
    batching.learn_size(one, HEAVIEST / 4)
    batching.learn(one, 1000, 0.001)
    assert batching.most[one] == 4
    batching.learn_size(one, HEAVIEST * 10)
    batching.learn(one, 1, 0.001)
    assert batching.most[one] == 1
