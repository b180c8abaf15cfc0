"""The price of a submission, as the waits of many tell it."""

from random import Random

import pytest

from turgo.engine.batching.price import (
    FIRST_PRICE_SECONDS,
    KNOWN_AFTER_SUBMISSIONS,
    OVERDUE_AFTER_SUBMISSIONS,
    Price,
)


def submit(learned, price, moments, latency=0.03, chance=lambda: 0.0):
    """Submit at these moments to one who takes so long for each; the places with what each took."""
    free, found = 0.0, []
    for now in moments:
        free = max(free, now) + price
        found.append((learned.submitted(now, counts=True), free - now + latency + chance()))
    return found


def bursts(count, size, apart):
    """Moments: so many bursts of submissions, so many seconds apart."""
    return [at * apart for at in range(count) for _ in range(size)]


@pytest.mark.parametrize("price", [1e-5, 1e-4, 0.0023, 0.01, 0.1])
def test_the_price_is_found_whatever_was_thought_first(price):
    """Exactly, where nothing is left to chance."""
    learned = Price()
    for place, took in submit(learned, price, bursts(10, 10, 20 * price)):
        learned.began(place, took)
    assert learned.seconds == pytest.approx(price, rel=0.01) and not learned.guess


@pytest.mark.parametrize("price", [0.0005, 0.0023, 0.01])
def test_chance_that_is_ten_times_as_large_cancels_out(price):
    """Whichever come back first: those that chance was kind to."""
    for seed in range(10):
        random, learned = Random(seed), Price()
        moments = bursts(20, 20, 40 * price)
        found = submit(learned, price, moments, chance=lambda: random.random() * 20 * price)  # noqa: B023
        for place, took in sorted(found, key=lambda each: each[1]):
            learned.began(place, took)
        assert price / 1.7 < learned.seconds < price * 1.7, seed


def test_what_never_waits_tells_nothing():
    """The first guess stays; and so does what was learned when there was a line."""
    learned = Price()
    for place, took in submit(learned, 1e-6, [at * 1.0 for at in range(50)]):
        learned.began(place, took)
    assert learned.seconds == FIRST_PRICE_SECONDS
    learned = Price()
    moments = bursts(5, 10, 0.1)
    for place, took in submit(learned, 0.004, [*moments, *(10.0 + at for at in range(500))]):
        learned.began(place, took)
    assert learned.seconds == pytest.approx(0.004, rel=0.05)


def test_a_price_that_changes_is_learned_anew():
    """A scheduler that others begin to use, say."""
    learned = Price()
    for price in (0.001, 0.008, 0.001):
        begin = max(learned._line_ends)
        moments = [begin + each for each in bursts(100, 10, 0.2)]
        for place, took in submit(learned, price, moments):
            learned.began(place, took)
        assert learned.seconds == pytest.approx(price, rel=0.3)


def test_it_is_a_guess_until_enough_have_begun_in_order():
    """One that is lost is not waited for for ever, and tells nothing if it comes nevertheless."""
    learned = Price()
    lost, *found = submit(learned, 0.002, bursts(10, 12, 0.1))
    for place, took in found[:OVERDUE_AFTER_SUBMISSIONS]:
        learned.began(place, took)
        assert learned.guess
    place, took = found[OVERDUE_AFTER_SUBMISSIONS]
    learned.began(place, took)
    assert learned.begun > KNOWN_AFTER_SUBMISSIONS and not learned.guess
    begun = learned.begun
    learned.began(*lost)
    assert learned.begun == begun


def test_a_submission_that_waits_for_a_slot_has_a_place_and_no_say():
    """It takes its time in line like the others, and when it begins tells of its slot."""
    learned = Price()
    for now in bursts(10, 10, 0.1):
        learned.submitted(now, counts=False)
    assert not learned._under_way
    place = learned.submitted(0.95, counts=True)
    assert min(place.positions) == 1 and max(place.positions) == 101
