"""Tasks of 50 ms on two workers: how near to the ideal, with naps and with work for the processor."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from distributed import Client

from benchmarks import work
from benchmarks.clusters import WORKERS, cluster
from benchmarks.rows import Budget, Row, faster
from benchmarks.timing import side_by_side, timed
from penstock.executor import Executor
from penstock_dask.cluster import configured
from penstock_local_dask import LocalDaskExecutor

SUBJECT = "ideal"
SECONDS = 0.05


def rows(quick: bool) -> Iterator[Row]:
    """On processes, then on dask."""
    n, rounds = (40, 1) if quick else (80, 3)
    turns = work.calibrated_turns(SECONDS)
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawning) as pool:
        processes = LocalDaskExecutor(scheduler="processes", num_workers=WORKERS)
        with processes.start():
            yield from _naps_and_spins("processes", processes, pool, n, turns, rounds)
        with configured(local=True), cluster() as (executor, client):
            client.gather(client.map(work.spins, [[1]] * WORKERS, pure=False))
            yield from _naps_and_spins("dask", executor, pool, n, turns, rounds)
            yield _beside_client(executor, client, n, turns, rounds)


def _naps_and_spins(
    name: str, executor: Executor, pool: ProcessPoolExecutor, n: int, turns: int, rounds: int
) -> Iterator[Row]:
    work.mapped.run(10, executor=executor)
    naps = min(timed(lambda: work.dozing.run(n, SECONDS, executor=executor))[0] for _ in range(rounds))
    yield _row(f"{name}: {n} naps of 50 ms on {WORKERS} workers", n, naps, n * SECONDS / WORKERS, "ideal")

    halves = [[turns] * (n // WORKERS)] * WORKERS
    list(pool.map(work.spins, [[1]] * WORKERS))  # its processes are there

    def by_hand() -> list[Any]:
        return [value for half in pool.map(work.spins, halves) for value in half]

    ours, theirs = side_by_side(
        lambda: work.spinning.run(n, turns, executor=executor).result, by_hand, rounds=rounds
    )
    what = f"{name}: {n} loops of 50 ms on {WORKERS} workers"
    yield _row(what, n, ours, theirs, f"{WORKERS} processes, half each")


def _beside_client(executor: Executor, client: Client, n: int, turns: int, rounds: int) -> Row:
    """On as many cores as workers the scheduler takes its share: what is left of the ideal by hand."""
    halves = [[turns] * (n // WORKERS)] * WORKERS

    def by_hand() -> list[Any]:
        return [value for half in client.gather(client.map(work.spins, halves, pure=False)) for value in half]

    ours, theirs = side_by_side(
        lambda: work.spinning.run(n, turns, executor=executor).result, by_hand, rounds=rounds
    )
    what = f"dask: {n} loops of 50 ms on {WORKERS} workers"
    return faster(SUBJECT, what, ours / n, theirs / n, f"{WORKERS} tasks of client.map, half each")


def _row(what: str, n: int, ours: float, theirs: float, name: str) -> Row:
    return Row(
        subject=SUBJECT,
        what=what,
        ours_us=ours / n * 1e6,
        theirs_us=theirs / n * 1e6,
        theirs_name=name,
        ratio=theirs / ours,
        budget=Budget("≥", 0.95),
    )
