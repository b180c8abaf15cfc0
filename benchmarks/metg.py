"""METG(50 %): the smallest tasks of a stencil with which a cluster of two processes is still half used.

The definition is that of Task Bench (Slaughter et al., SC 2020). A row of `width` points is computed step after step;
a point needs its own value and those of its two neighbours of the step before. Each task computes for a given time.

    granularity = wall time x cores / tasks        what a task takes, with all that surrounds it
    efficiency  = tasks x computing time / (wall time x cores)
    METG(50 %)  = the granularity at which the efficiency, as tasks get shorter, falls to a half

As wide as there are cores (Task Bench's own choice) each step is a round trip; eight times as wide, it is throughput.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

from distributed import Client

from benchmarks import work
from benchmarks.clusters import WORKERS, cluster
from benchmarks.rows import Budget, Row
from benchmarks.timing import timed
from turgo_dask import DaskExecutor

SUBJECT = "metg"
FIRST_SECONDS = 0.004
LONGEST_SECONDS = 0.064
SHORTEST_SECONDS = 0.00003
HALF = 0.5


class Point(NamedTuple):
    """What one length of tasks came to; the granularity in seconds."""

    granularity: float
    efficiency: float


def rows(quick: bool) -> Iterator[Row]:
    """For two widths, beside the whole graph through `client.get`."""
    rounds = 1 if quick else 3
    turns_a_second = work.calibrated_turns(1.0)
    with cluster() as (executor, client):
        client.gather(client.map(work.spins, [[1]] * WORKERS, pure=False))
        work.stencil.run(WORKERS, 10, 1, executor=executor)
        for width, steps in ((WORKERS, 50), (8 * WORKERS, 20)):
            ours = _around_half(_turgo(executor, width, steps), width * steps, turns_a_second, rounds)
            theirs = _around_half(_dask(client, width, steps), width * steps, turns_a_second, rounds)
            yield _row(width, steps, ours, theirs)


def _row(width: int, steps: int, ours: Sequence[Point], theirs: Sequence[Point]) -> Row:
    mine, other = metg(ours), metg(theirs)
    return Row(
        subject=SUBJECT,
        what=f"METG(50 %), stencil of {width} x {steps} steps on {WORKERS} processes",
        ours_us=mine * 1e6,
        theirs_us=other * 1e6,
        theirs_name="client.get of the graph",
        ratio=mine * 1e3,
        unit="ms",
        budget=Budget("≤", 0.5),
        later=True,
        figures={"turgo": [point._asdict() for point in ours], "dask": [point._asdict() for point in theirs]},
    )


def metg(points: Sequence[Point]) -> float:
    """The granularity, in seconds, at which the efficiency falls to a half.

    Between two measured points by interpolation, on a logarithmic scale; the finest of them if none fell below a half,
    infinite if none came up to it.
    """
    coarsest_first = sorted(points, reverse=True)
    above = [point for point in coarsest_first if point.efficiency >= HALF]
    if not above:
        return math.inf
    finest = above[-1]
    below = [point for point in coarsest_first if point.granularity < finest.granularity]
    if not below:
        return finest.granularity
    share = (finest.efficiency - HALF) / (finest.efficiency - below[0].efficiency)
    return float(finest.granularity * (below[0].granularity / finest.granularity) ** share)


def _around_half(run: Callable[[int], Any], tasks: int, turns_a_second: int, rounds: int) -> list[Point]:
    """Points of tasks that get longer or shorter by halves, until the efficiency has crossed a half."""
    seconds = FIRST_SECONDS
    points = [_point(run, tasks, turns_a_second, rounds, seconds)]
    above = points[0].efficiency >= HALF
    while (points[-1].efficiency >= HALF) is above and SHORTEST_SECONDS < seconds < LONGEST_SECONDS:
        seconds *= 0.5 if above else 2
        points.append(_point(run, tasks, turns_a_second, rounds, seconds))
    return points


def _point(run: Callable[[int], Any], tasks: int, turns_a_second: int, rounds: int, seconds: float) -> Point:
    """What tasks of so many seconds come to, at the best of some rounds."""
    turns = max(1, round(seconds * turns_a_second))
    wall = min(timed(lambda: run(turns))[0] for _ in range(rounds))
    granularity = wall * WORKERS / tasks
    return Point(granularity, seconds / granularity)


def _turgo(executor: DaskExecutor, width: int, steps: int) -> Callable[[int], Any]:
    return lambda turns: work.stencil.run(width, steps, turns, executor=executor).result


def _dask(client: Client, width: int, steps: int) -> Callable[[int], Any]:
    names = count()
    return lambda turns: client.get(
        *work.stencil_graph(width, steps, turns, f"stencil-{width}-{next(names)}")
    )
