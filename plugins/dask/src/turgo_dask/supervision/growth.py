"""What lets an adaptive cluster grow: work that its scheduler has. What is ready in the driver it cannot see.

Adaptive, once a second ──> Scheduler.adaptive_target: seconds of work there / target_duration, at most one
                            thread for each call ──> as many workers, between minimum and maximum
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dask.config
from dask.utils import parse_timedelta

from turgo.executor import Growth
from turgo_dask.cluster.live import adapts

SPARE_TIMES = 2.0
"""How many times as much work is to be there as is asked for: the scheduler may think it less."""

NEXT_TIMES = 2
"""How many times as many workers as are there may come next, where there is no maximum."""


def growth_of(
    cluster: Any, adapt_kwargs: Mapping[str, Any], threads: Callable[[], Sequence[int]]
) -> Growth | None:
    """To what an adaptive cluster may grow; None of one that does not adapt, or of which that is not known.

    adapt_kwargs: by which it was made to adapt here, if it was. threads: gives those of each worker that is there.
    """
    adaptive = getattr(cluster, "_adaptive", None)
    if not (adapts(cluster) or (adaptive is None and adapt_kwargs and cluster is not None)):
        return None
    there = threads()
    most, least = _bounds(adaptive, adapt_kwargs)
    if most <= least:
        return None
    if math.isinf(most):
        planned = len(getattr(cluster, "plan", None) or ())
        most = max(NEXT_TIMES * max(planned, len(there), 1), least)
    each = sum(there) / len(there) if there else 1
    return Growth(math.ceil(most * each), SPARE_TIMES * _target_seconds(adaptive, adapt_kwargs))


def _bounds(adaptive: Any, adapt_kwargs: Mapping[str, Any]) -> tuple[float, float]:
    """The most and the fewest workers. Where another service adapts the cluster, only the keywords tell."""
    if adaptive is not None:
        return adaptive.maximum, adaptive.minimum
    most, least = adapt_kwargs.get("maximum"), adapt_kwargs.get("minimum")
    return math.inf if most is None else most, least or 0


def _target_seconds(adaptive: Any, adapt_kwargs: Mapping[str, Any]) -> float:
    """Seconds in which the cluster is to be done with what is there."""
    given = getattr(adaptive, "target_duration", None) or adapt_kwargs.get("target_duration")
    return float(parse_timedelta(given or dask.config.get("distributed.adaptive.target-duration")))
