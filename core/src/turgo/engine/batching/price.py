"""Estimates the price of a submission: the serial seconds that it takes driver, scheduler and network. Pure.

Submissions reach an executor one after the other, so some wait in a line. How long each would have waited is known for
any price, as it is known when each was submitted; how long it took to begin, the reports tell:

    submitted ──> a line for each candidate of PRICES ──> what it would have waited at that price
    began     ──> took = latency + wait + chance          the price whose waits explain it best is the right one

The latency is the same for all, so what is compared is the variance of the rest. Chance has a part in each that is as
large as a hundred prices: a worker that is busy, an event loop that is late. It cancels out over many.
"""

from __future__ import annotations

from collections import deque
from math import inf, log

from turgo.engine.batching.moments import Moments

STEP_FACTOR = 2.5
"""How many times as dear one candidate is as the one before it."""

PRICES = tuple(5e-6 * STEP_FACTOR**step for step in range(13))
"""The candidates: 5 µs to 0.3 s."""

FIRST_PRICE_SECONDS = 1e-3
"""What a submission is thought to cost before anything is known."""

LEAST_PRICE_SECONDS = 1e-6
"""No submission is thought to be cheaper."""

KNOWN_AFTER_SUBMISSIONS = 10
"""After so many that have begun the price is no guess any more."""

LOOK_SHARE = 0.1
"""It is learned anew when so many more have begun, and at least once in LOOK_SUBMISSIONS."""

LOOK_SUBMISSIONS = 20

OVERDUE_AFTER_SUBMISSIONS = 64
"""A submission is not waited for any longer once so many later ones have begun."""

LIKELIER_TIMES = 20.0
"""How many times as likely a price has to be than another one, to be preferred."""

CLOCK_SECONDS = 1e-6
"""No clock shows less."""


class Place:
    """The place of a submission in the line at each candidate: seconds of wait, and its position.

    took: seconds until it began; None as long as nobody knows, `inf` if that is not waited for any longer.
    """

    __slots__ = ("positions", "took", "waits")

    def __init__(self, waits: list[float], positions: list[int]) -> None:
        self.waits = waits
        self.positions = positions
        self.took: float | None = None


class Price:
    """What a submission is thought to cost. seconds: of it; guess: whether too little is known yet."""

    def __init__(self) -> None:
        self.seconds = FIRST_PRICE_SECONDS
        self.begun = 0
        self._line_ends = [0.0] * len(PRICES)
        self._positions = [0] * len(PRICES)
        self._chosen = min(range(len(PRICES)), key=lambda at: abs(PRICES[at] - FIRST_PRICE_SECONDS))
        self._rests = [Moments() for _ in PRICES]
        self._under_way: deque[Place] = deque()
        self._early = 0
        self._look_at = KNOWN_AFTER_SUBMISSIONS

    @property
    def guess(self) -> bool:
        """Whether too few have begun to tell."""
        return self.begun < KNOWN_AFTER_SUBMISSIONS

    def submitted(self, now: float, *, counts: bool) -> Place:
        """One more is in line. counts: whether there is a slot for it, so that it waits for nothing else."""
        ends, positions, waits = self._line_ends, self._positions, []
        for at, price in enumerate(PRICES):
            if ends[at] > now:
                ends[at] += price
                positions[at] += 1
            else:
                ends[at] = now + price
                positions[at] = 1
            waits.append(ends[at] - now)
        place = Place(waits, positions.copy())
        if counts:
            self._under_way.append(place)
        return place

    def began(self, place: Place, took: float) -> None:
        """It has begun, so many seconds after it was submitted. They are learned from in the order of submission.

        Those that come back first are those that chance was kind to.
        """
        if place.took is not None:
            return
        place.took = took
        self._early += 1
        under_way = self._under_way
        while under_way and (under_way[0].took is not None or self._early > OVERDUE_AFTER_SUBMISSIONS):
            first = under_way.popleft()
            if first.took is None:
                first.took = inf
            else:
                self._early -= 1
                self._add(first, first.took)
        if self.begun >= self._look_at:
            self._look_at = self.begun + max(1, min(LOOK_SUBMISSIONS, int(self.begun * LOOK_SHARE)))
            self._learn()

    def _add(self, place: Place, took: float) -> None:
        self.begun += 1
        for rest, wait, position in zip(self._rests, place.waits, place.positions, strict=True):
            rest.add(position, took - wait)

    def _learn(self) -> None:
        """Prefer another candidate if it is clearly likelier: the cheapest that is nearly as likely as the likeliest.

        As long as all are as likely, as nothing ever waited, nothing is learned, and what was known is kept.
        """
        half = self._rests[0].weight / 2
        refined = [_refined(price, rest) for price, rest in zip(PRICES, self._rests, strict=True)]
        likely = [-half * log(max(variance, CLOCK_SECONDS * CLOCK_SECONDS)) for _, variance in refined]
        most, clearly = max(likely), log(LIKELIER_TIMES)
        if most - likely[self._chosen] > clearly:
            self._chosen = next(at for at, each in enumerate(likely) if most - each <= clearly)
        if most - min(likely) > clearly:
            self.seconds = refined[self._chosen][0]


def _refined(price: float, rest: Moments) -> tuple[float, float]:
    """A price near a candidate that explains more, and the variance that is left.

    What is left grows from one position in the line to the next by what the candidate is too cheap.
    """
    slope = rest.slope
    if not price / STEP_FACTOR <= price + slope <= price * STEP_FACTOR and PRICES[0] < price < PRICES[-1]:
        slope = 0.0  # that is for another candidate to explain
    return max(LEAST_PRICE_SECONDS, price + slope), rest.variance - slope * rest.covariance
