"""Sleeping tasks on many slots of one dask cluster: the share of the slots that is kept busy.

two worker processes x many threads    20, 100, 400 slots; the tasks sleep, so cores do not matter
by hand    `client.map` of equal chunks, at the best of several sizes: what one reaches who tries them all
raw        `client.map` of single tasks, a smaller number of them, as each costs the scheduler its price

The more slots, the sooner the serial price of a submission limits how many of them stay busy.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import attrs
from distributed import Client

from benchmarks import work
from benchmarks.clusters import WORKERS, cluster
from benchmarks.rows import Row, faster
from benchmarks.timing import side_by_side, timed
from turgo_dask import DaskExecutor

SUBJECT = "slots"
NAP_SECONDS = 0.01
PARTS = (1, 2, 4, 8)
"""How many chunks each slot gets by hand: few are cheap, many even out."""
RAW_CALLS = 2_000


def rows(quick: bool) -> Iterator[Row]:
    """On clusters of 20, 100 and 400 slots, 200 tasks for each slot; the quick form leaves out the largest."""
    for slots in (20, 100) if quick else (20, 100, 400):
        with cluster(threads_per_worker=slots // WORKERS) as (executor, client):
            _warm(executor, client, slots)
            yield from _on(executor, client, slots, slots * (50 if quick else 200), 1 if quick else 2)


def _warm(executor: DaskExecutor, client: Client, slots: int) -> None:
    """Connections and threads are there before anything is timed."""
    client.gather(client.map(work.doze, [NAP_SECONDS] * 2 * slots, pure=False))
    work.dozing.run(2 * slots, NAP_SECONDS, executor=executor)


def _on(executor: DaskExecutor, client: Client, slots: int, n: int, rounds: int) -> Iterator[Row]:
    sizes = [n // slots // parts for parts in PARTS]
    ours, *by_hand = side_by_side(
        lambda: work.dozing.run(n, NAP_SECONDS, executor=executor).result,
        *(partial(_by_hand, client, n, size) for size in sizes),
        rounds=rounds,
    )
    raw, _ = timed(lambda: client.gather(client.map(work.doze, [NAP_SECONDS] * RAW_CALLS, pure=False)))
    best = min(by_hand)
    size = sizes[by_hand.index(best)]
    what = f"{slots} slots: {n:,} sleeps of {NAP_SECONDS * 1e3:.0f} ms"
    beside = faster(SUBJECT, what, ours / n, best / n, f"client.map of chunks of {size}", 0.9)
    busy = NAP_SECONDS / slots  # seconds a task if every slot were always busy
    figures = {
        "slots": slots,
        "tasks": n,
        "efficiency": {
            "turgo": busy / (ours / n),
            "by hand": busy / (best / n),
            "raw": busy / (raw / RAW_CALLS),
        },
        "seconds_by_chunk": dict(zip(map(str, sizes), by_hand, strict=True)),
    }
    yield attrs.evolve(beside, figures=figures)
    yield faster(SUBJECT, what, ours / n, busy, "ideal")
    yield faster(SUBJECT, what, ours / n, raw / RAW_CALLS, f"client.map, {RAW_CALLS:,} of them")


def _by_hand(client: Client, n: int, size: int) -> list[Any]:
    chunks = [[NAP_SECONDS] * min(size, n - low) for low in range(0, n, size)]
    done = client.gather(client.map(work.dozes, chunks, pure=False))
    return [value for values in done for value in values]
