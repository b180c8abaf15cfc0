"""Traces of workflows replayed with sleeps: the makespan beside what a list schedule and dask make of the same graph.

list schedule    computed, no cost of its own: longest path first by levels, durations unknown (traces.schedule)
dask.get         dask's scheduler for threads, given the whole graph at once
client.get       distributed, on the same cluster, given the whole graph at once

One row says the worst of all traces; the figures in the JSON say each. `python -m benchmarks.makespan FILE …` replays
instances of WfFormat instead of those that `traces.families` makes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import attrs
import dask.threaded

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
QUICK = ("montage", "epigenomics", "chain")


@attrs.frozen
class Replay:
    """Seconds that a trace took."""

    trace: str
    turgo: float
    dask: float
    list_schedule: float
    bound: float


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
    """On 4 and 8 slots, threads and dask; the quick form has 4 slots and three traces."""
    traces = [FAMILIES[name]() for name in (QUICK if quick else FAMILIES)]
    yield from _rows(traces, (4,) if quick else (4, 8), 1 if quick else 2)


def _rows(traces: Sequence[Trace], slots: Sequence[int], rounds: int) -> Iterator[Row]:
    scaled = [trace.scaled(BOUND_SECONDS / trace.bound(SCALED_SLOTS)) for trace in traces]
    for many in slots:
        yield from _worst("threads", "dask.get", many, list(_on_threads(scaled, many, rounds)))
        yield from _worst("dask", "client.get", many, list(_on_dask(scaled, many, rounds)))


def _on_threads(traces: Sequence[Trace], slots: int, rounds: int) -> Iterator[Replay]:
    executor = LocalDaskExecutor(scheduler="threads", num_workers=slots)
    with ThreadPoolExecutor(slots) as pool, executor.start():

        def theirs(trace: Trace) -> list[Any]:
            return list(dask.threaded.get(*graph_of(trace), pool=pool))

        for trace in traces:
            yield _replay(trace, executor, theirs, slots, rounds)


def _on_dask(traces: Sequence[Trace], slots: int, rounds: int) -> Iterator[Replay]:
    runs = count()
    with cluster(threads_per_worker=slots // WORKERS) as (executor, client):

        def theirs(
            trace: Trace,
        ) -> list[Any]:  # keys of their own each time, or the second time would cost nothing
            return list(client.get(*graph_of(trace, f"{next(runs)}-")))

        for trace in traces:
            yield _replay(trace, executor, theirs, slots, rounds)


def _replay(
    trace: Trace, executor: Executor, theirs: Callable[[Trace], list[Any]], slots: int, rounds: int
) -> Replay:
    ours_s, theirs_s = side_by_side(
        lambda: list(replayed.run(trace, executor=executor).result), lambda: theirs(trace), rounds=rounds
    )
    return Replay(trace.name, ours_s, theirs_s, list_schedule(trace, slots), trace.bound(slots))


def _worst(where: str, other: str, slots: int, replays: Sequence[Replay]) -> Iterator[Row]:
    figures: Mapping[str, Any] = {each.trace: attrs.asdict(each) for each in replays}
    by_levels = max(replays, key=lambda each: each.turgo / each.list_schedule)
    by_dask = max(replays, key=lambda each: each.turgo / each.dask)
    for worst, beside, name, limit in (
        (by_levels, by_levels.list_schedule, "a list schedule that knows levels", 1.05),
        (by_dask, by_dask.dask, f"{other} of the graph", 1.02),
    ):
        what = f"{where}, {slots} slots: {worst.trace}, the worst of {len(replays)} traces"
        row = slower(SUBJECT, what, worst.turgo, beside, name, limit)
        yield attrs.evolve(row, figures=figures)


def main(paths: Sequence[str]) -> int:
    """Replay these files on 4 and 8 slots and print the rows. Returns the exit code."""
    if not paths:
        print("usage: python -m benchmarks.makespan FILE …", file=sys.stderr)
        return 2
    traces = [wfformat.read(Path(path)) for path in paths]
    show(heading(), list(_rows(traces, (4, 8), rounds=2)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
