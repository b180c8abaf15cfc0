"""How one thing depends on another one is learned from the latest observations."""

from random import Random

import pytest

from turgo.engine.batching.moments import MEMORY_OBSERVATIONS, Moments


def test_a_line_is_found_and_what_it_leaves():
    """Its slope, the means, and no variance beside it."""
    seen = Moments()
    for x in (1, 2, 3, 4) * 10:
        seen.add(x, 5.0 + 2.0 * x)
    assert seen.slope == pytest.approx(2.0)
    assert seen.y - seen.slope * seen.x == pytest.approx(5.0)
    assert seen.variance - seen.slope * seen.covariance == pytest.approx(0.0, abs=1e-9)


def test_a_slope_that_may_be_chance_is_none():
    """Neither of points without order, nor of one place alone."""
    random, seen, one_place = Random(0), Moments(), Moments()
    for _ in range(50):
        seen.add(random.random(), random.random())
        one_place.add(3.0, random.random())
    assert seen.slope == one_place.slope == 0.0


def test_older_observations_fade():
    """What has changed is known after a few times as many."""
    seen = Moments()
    for y in [1.0] * 500 + [2.0] * (5 * MEMORY_OBSERVATIONS):
        seen.add(0.0, y)
    assert seen.y == pytest.approx(2.0, abs=0.01)
