"""Timing side by side: in turns, several rounds, the quickest of each, as noise can only add."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

Candidate = Callable[[], Any]


class DifferentWorkError(Exception):
    """Two candidates gave different results, so their times say nothing."""


def side_by_side(*candidates: Candidate, rounds: int) -> list[float]:
    """Seconds of the quickest of `rounds` calls of each candidate, which take turns.

    Raises DifferentWorkError if what they return is not equal.
    """
    best = [float("inf")] * len(candidates)
    for _ in range(rounds):
        results = []
        for at, candidate in enumerate(candidates):
            seconds, result = timed(candidate)
            best[at] = min(best[at], seconds)
            results.append(result)
        _check_same(results)
    return best


def timed(candidate: Candidate) -> tuple[float, Any]:
    """Seconds that one call took, and what it returned. Nobody pays for the garbage of the one before."""
    gc.collect()
    began = time.perf_counter()
    result = candidate()
    return time.perf_counter() - began, result


def _check_same(results: Sequence[Any]) -> None:
    first = results[0]
    for other in results[1:]:
        if other != first:
            raise DifferentWorkError(f"{first!r:.80} is not {other!r:.80}")
