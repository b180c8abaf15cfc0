"""Traces of workflows replayed with sleeps: the makespan beside what a list schedule and dask make of the same graph.

list schedule    computed, no cost of its own: longest path first by levels, durations unknown (traces.schedule)
with trips       the same, with the round trip of a single no-op of distributed where a task waits for another
dask.get         dask's scheduler for threads, given the whole graph at once
client.get       distributed, on the same cluster, given the whole graph at once
dask's order     computed as well: what `dask.get` makes of it, at no cost

Each family is drawn several times, and what counts is the mean: which of several orders that know no durations is best
is an accident of one draw. How good our order is is said in virtual time, for sixty draws; what it takes in reality,
for as many as there is time for. One row says the worst of all families; the figures in the JSON say each.
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
from benchmarks.traces.schedule import dask_schedule, list_schedule
from benchmarks.traces.trace import Trace
from turgo import Task, flow, task
from turgo.executor import Executor
from turgo.testing import SimulatedExecutor
from turgo_local_dask import LocalDaskExecutor

SUBJECT = "makespan"
BOUND_SECONDS = 2.0
"""What each trace is scaled to: the least that it can take on four slots."""
THREADS_BOUND_SECONDS = 1.0
"""The same on threads, where a round trip is a hundredth of one on dask."""
SCALED_SLOTS = 4
SLOTS = (4, 8)
DRAWS, THREADS_DRAWS, ORDER_DRAWS = 6, 8, 60
ORDER_TRIP_SECONDS = 1e-4
"""What a submission costs and takes in virtual time: next to nothing, as the order alone is looked at."""
UNEVEN, UNEVEN_DRAWS, UNEVEN_TIMES = "epigenomics", 24, 3
"""The family of which more is drawn on threads, and each draw replayed so often: its makespan hangs on few long calls,
and which of several that look equal begins first, a tenth of a millisecond decides."""
QUICK = ("montage", "epigenomics", "chain")
TRIPS_COUNT = 50


@attrs.frozen
class Replay:
    """Seconds that a trace took; or several of a kind, in the mean.

    dask: by `dask.get` or `client.get`, or computed in dask's order. with_trips: of a list schedule that pays them.
    """

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
def replayed(trace: Trace, dozing: Task[Any, Any] = work.doze_after_task) -> Any:
    """The tasks of a trace, each of which sleeps as long as it took; returns the values of the last ones."""
    results: dict[str, Any] = {}
    kinds = {kind: dozing.with_options(name=kind) for kind in {each.kind for each in trace.tasks}}
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
    """On 4 and 8 slots: the order, threads and dask; the quick form has 4 slots, three families and few draws."""
    names, slots = (QUICK, SLOTS[:1]) if quick else (tuple(FAMILIES), SLOTS)

    def drawn(draws: int, uneven: Sequence[int] = ()) -> list[list[Trace]]:
        seeds = {name: uneven if uneven and name == UNEVEN else range(draws) for name in names}
        return [
            [FAMILIES[name](seed) for seed in (seeds[name][:1] if quick else seeds[name])] for name in names
        ]

    for many in slots:
        yield from ordered_rows(drawn(ORDER_DRAWS), many)
    on_threads = drawn(THREADS_DRAWS, [*range(UNEVEN_DRAWS)] * UNEVEN_TIMES)
    for many in slots:
        yield from _replayed_rows(on_threads, drawn(DRAWS), many, 1)


def ordered_rows(kinds: Sequence[Sequence[Trace]], slots: int) -> Iterator[Row]:
    """What our order is worth, in virtual time, beside a list schedule and dask's order."""
    replays = [Replay.mean([_in_order(trace, slots) for trace in traces]) for traces in kinds]
    where = f"order alone, mean of {len(kinds[0])}"
    yield from _worst(where, "dask's order", slots, replays)


def _in_order(trace: Trace, slots: int) -> Replay:
    trace = _scaled(trace, BOUND_SECONDS)
    executor = SimulatedExecutor(
        slots, serial_seconds=ORDER_TRIP_SECONDS / slots, latency_seconds=ORDER_TRIP_SECONDS
    )

    @task
    def sleep_after(seconds: float, *_: object) -> None:
        executor.sleep(seconds)

    run = replayed.run(trace, sleep_after, executor=executor)
    run.result  # noqa: B018  (raises what went wrong)
    listed = list_schedule(trace, slots)
    return Replay(trace.name, run.duration, dask_schedule(trace, slots), listed, listed, trace.bound(slots))


def _scaled(trace: Trace, seconds: float) -> Trace:
    return trace.scaled(seconds / trace.bound(SCALED_SLOTS))


def _replayed_rows(
    on_threads: Sequence[Sequence[Trace]], on_dask: Sequence[Sequence[Trace]], slots: int, rounds: int
) -> Iterator[Row]:
    short = [[_scaled(trace, THREADS_BOUND_SECONDS) for trace in traces] for traces in on_threads]
    long = [[_scaled(trace, BOUND_SECONDS) for trace in traces] for traces in on_dask]
    yield from _worst("threads", "dask.get of the graph", slots, list(_on_threads(short, slots, rounds)))
    yield from _worst("dask", "client.get of the graph", slots, list(_on_dask(long, slots, rounds)))


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
    besides: list[tuple[str, str, float | None]] = [("dask", other, 1.02)]
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
    show(heading(), [row for many in SLOTS for row in _replayed_rows(traces, traces, many, rounds=2)])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
