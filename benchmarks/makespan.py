"""Traces of workflows replayed with sleeps: the makespan beside what a list schedule and dask make of the same graph.

list schedule    computed, no cost of its own: longest path first by levels, durations unknown (traces.schedule)
with trips       the same, with the round trip of a single no-op of distributed where a task waits for another
dask.get         dask's scheduler for threads, given the whole graph at once
client.get       distributed, on the same cluster, given the whole graph at once

Each family is drawn three times, and what counts is the sum: which of several orders that know no durations is best is
an accident of one draw. One row says the worst of all families; the figures in the JSON say each.
`python -m benchmarks.makespan FILE …` replays instances of WfFormat instead of those that `traces.families` makes.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import dask.threaded
from distributed import Client

from benchmarks import work
from benchmarks.clusters import WORKERS, cluster
from benchmarks.machine import heading
from benchmarks.rows import Row, slower
from benchmarks.table import show
from benchmarks.timing import side_by_side
from benchmarks.traces import wfformat
from benchmarks.traces.families import FAMILIES
from benchmarks.traces.schedule import list_schedule
from benchmarks.traces.trace import Trace
from turgo import flow
from turgo.executor import Executor
from turgo_local_dask import LocalDaskExecutor

SUBJECT = "makespan"
BOUND_SECONDS = 2.0
"""What each trace is scaled to: the least that it can take on four slots."""
SCALED_SLOTS = 4
SEEDS = (0, 1, 2)
QUICK = ("montage", "epigenomics", "chain")
TRIPS_COUNT = 50


@attrs.frozen
class Replay:
    """Seconds that a trace took; or several of a kind, in the mean. with_trips: of a list schedule that pays them."""

    trace: str
    turgo: float
    dask: float
    list_schedule: float
    with_trips: float
    bound: float

    @classmethod
    def mean(cls, replays: Sequence[Replay]) -> Replay:
        """Of several draws of one family."""
        names = [field.name for field in attrs.fields(cls)[1:]]
        seconds = {name: statistics.fmean(getattr(each, name) for each in replays) for name in names}
        return cls(replays[0].trace, **seconds)


@flow
def replayed(trace: Trace) -> Any:
    """The tasks of a trace, each of which sleeps as long as it took; returns the values of the last ones."""
    results: dict[str, Any] = {}
    kinds = {
        kind: work.doze_after_task.with_options(name=kind) for kind in {each.kind for each in trace.tasks}
    }
    for each in trace.tasks:
        results[each.name] = kinds[each.kind](each.seconds, *[results[parent] for parent in each.parents])
    return [results[name] for name in trace.ends]


def graph_of(trace: Trace, prefix: str = "") -> tuple[work.Graph, list[str]]:
    """The same as a graph for dask, with the keys of its results."""
    graph = {
        prefix + each.name: (work.doze_after, each.seconds, *[prefix + parent for parent in each.parents])
        for each in trace.tasks
    }
    return graph, [prefix + name for name in trace.ends]


def rows(quick: bool) -> Iterator[Row]:
    """On 4 and 8 slots, threads and dask; the quick form has 4 slots, three families and one draw of each."""
    names, seeds = (QUICK, SEEDS[:1]) if quick else (tuple(FAMILIES), SEEDS)
    drawn = [[FAMILIES[name](seed) for seed in seeds] for name in names]
    yield from _rows(drawn, (4,) if quick else (4, 8), 1)


def _rows(kinds: Sequence[Sequence[Trace]], slots: Sequence[int], rounds: int) -> Iterator[Row]:
    scaled = [
        [trace.scaled(BOUND_SECONDS / trace.bound(SCALED_SLOTS)) for trace in traces] for traces in kinds
    ]
    for many in slots:
        yield from _worst("threads", "dask.get", many, list(_on_threads(scaled, many, rounds)))
        yield from _worst("dask", "client.get", many, list(_on_dask(scaled, many, rounds)))


def _on_threads(kinds: Sequence[Sequence[Trace]], slots: int, rounds: int) -> Iterator[Replay]:
    executor = LocalDaskExecutor(scheduler="threads", num_workers=slots)
    with ThreadPoolExecutor(slots) as pool, executor.start():

        def theirs(trace: Trace) -> list[Any]:
            return list(dask.threaded.get(*graph_of(trace), pool=pool))

        for traces in kinds:
            yield Replay.mean([_replay(trace, executor, theirs, slots, rounds) for trace in traces])


def _on_dask(kinds: Sequence[Sequence[Trace]], slots: int, rounds: int) -> Iterator[Replay]:
    runs = count()
    with cluster(threads_per_worker=slots // WORKERS) as (executor, client):

        def theirs(
            trace: Trace,
        ) -> list[Any]:  # keys of their own each time, or the second time would cost nothing
            return list(client.get(*graph_of(trace, f"{next(runs)}-")))

        work.mapped.run(
            8 * slots, executor=executor
        )  # workers have loaded what they need, as for `client.get`
        trip_seconds = statistics.median(_trips(client))
        for traces in kinds:
            yield Replay.mean(
                [_replay(trace, executor, theirs, slots, rounds, trip_seconds) for trace in traces]
            )


def _trips(client: Client) -> Iterator[float]:
    """Seconds of round trips of distributed itself."""
    for at in range(TRIPS_COUNT):
        began = time.perf_counter()
        client.submit(work.noop, at, pure=False).result()
        yield time.perf_counter() - began


def _replay(
    trace: Trace,
    executor: Executor,
    theirs: Callable[[Trace], list[Any]],
    slots: int,
    rounds: int,
    trip_seconds: float = 0.0,
) -> Replay:
    ours_s, theirs_s = side_by_side(
        lambda: list(replayed.run(trace, executor=executor).result), lambda: theirs(trace), rounds=rounds
    )
    schedules = list_schedule(trace, slots), list_schedule(trace, slots, trip_seconds)
    return Replay(trace.name, ours_s, theirs_s, *schedules, trace.bound(slots))


def _worst(where: str, other: str, slots: int, replays: Sequence[Replay]) -> Iterator[Row]:
    figures: Mapping[str, Any] = {each.trace: attrs.asdict(each) for each in replays}
    known = "a list schedule that knows levels"
    besides: list[tuple[str, str, float | None]] = [("dask", f"{other} of the graph", 1.02)]
    if any(each.with_trips > each.list_schedule for each in replays):
        besides[:0] = [("list_schedule", known, None), ("with_trips", f"{known} and has round trips", 1.05)]
    else:
        besides[:0] = [("list_schedule", known, 1.05)]
    for figure, name, limit in besides:
        worst = max(replays, key=lambda each: each.turgo / getattr(each, figure))
        what = f"{where}, {slots} slots: {worst.trace}, the worst of {len(replays)} kinds of traces"
        row = slower(SUBJECT, what, worst.turgo, getattr(worst, figure), name, limit)
        yield attrs.evolve(row, figures=figures)


def main(paths: Sequence[str]) -> int:
    """Replay these files on 4 and 8 slots and print the rows. Returns the exit code."""
    if not paths:
        print("usage: python -m benchmarks.makespan FILE …", file=sys.stderr)
        return 2
    traces = [[wfformat.read(Path(path))] for path in paths]
    show(heading(), list(_rows(traces, (4, 8), rounds=2)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
