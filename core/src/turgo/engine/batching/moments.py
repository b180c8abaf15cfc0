"""Learns how one thing depends on another one: a line through observations, of which the latest count most. Pure."""

from __future__ import annotations

MEMORY_OBSERVATIONS = 100
"""How many of the latest ones count."""

SURE_TIMES = 2.0
"""How many times its standard error a slope is, if it is not taken for chance."""


class Moments:
    """The mean of y, its variance, and how it grows with x; older observations fade."""

    __slots__ = ("_xx", "_xy", "_yy", "weight", "x", "y")

    def __init__(self) -> None:
        self.weight = self.x = self.y = self._xx = self._xy = self._yy = 0.0

    def add(self, x: float, y: float) -> None:
        """Take one more observation in."""
        fade = 1.0 - 1.0 / MEMORY_OBSERVATIONS
        self.weight = self.weight * fade + 1.0
        share = 1.0 / self.weight
        dx, dy = x - self.x, y - self.y
        self.x += share * dx
        self.y += share * dy
        keep = 1.0 - share
        self._xx = keep * (self._xx + share * dx * dx)
        self._xy = keep * (self._xy + share * dx * dy)
        self._yy = keep * (self._yy + share * dy * dy)

    @property
    def variance(self) -> float:
        """Of y."""
        return self._yy

    @property
    def covariance(self) -> float:
        """Of x and y."""
        return self._xy

    @property
    def slope(self) -> float:
        """By how much y grows with x; 0 where that may be chance."""
        if not self._xx:
            return 0.0
        slope = self._xy / self._xx
        by_chance = max(self._yy - slope * self._xy, 0.0) / (self._xx * self.weight)
        return slope if slope * slope > SURE_TIMES * SURE_TIMES * by_chance else 0.0
