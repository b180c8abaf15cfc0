"""The granularity at which a half of the processors is used, read off measured points."""

from __future__ import annotations

import math

import pytest
from benchmarks.metg import Point, metg


def test_between_two_points_the_granularity_is_interpolated_on_a_logarithmic_scale() -> None:
    """Half way from 0.6 down to 0.4, the granularity is the geometric mean of the two."""
    assert metg([Point(0.004, 0.6), Point(0.001, 0.4)]) == pytest.approx(0.002)


def test_the_order_in_which_points_were_measured_does_not_matter() -> None:
    """The first points that the efficiency crosses a half between count, from the coarse side."""
    points = [Point(0.001, 0.2), Point(0.016, 0.9), Point(0.004, 0.5)]
    assert metg(points) == metg(points[::-1]) == pytest.approx(0.004)


def test_no_point_above_a_half_makes_it_infinite() -> None:
    """Where even the longest tasks leave more than a half unused, there is no such granularity."""
    assert metg([Point(0.064, 0.4), Point(0.032, 0.2)]) == math.inf


def test_no_point_below_a_half_makes_it_the_finest_that_was_measured() -> None:
    """The finest point is an upper bound where none fell below a half."""
    assert metg([Point(0.002, 0.9), Point(0.001, 0.7)]) == 0.001
