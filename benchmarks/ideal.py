"""Tasks of 50 ms on two workers: how near to the ideal, with naps and with work for the processor."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import attrs
from distributed import Client

from benchmarks import work
from benchmarks.clusters import WORKERS, cluster
from benchmarks.rows import Budget, Row, faster
from benchmarks.timing import side_by_side, timed
from turgo.executor import Executor
from turgo_dask.cluster.local import configured
from turgo_local_dask import LocalDaskExecutor

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
            yield _naps("processes", processes, n, rounds)
            yield _loops("processes", processes, pool, n, turns, rounds, Budget("≥", 0.95))
        with configured(local=True), cluster() as (executor, client):
            client.gather(client.map(work.spins, [[1]] * WORKERS, pure=False))
            yield _naps("dask", executor, n, rounds)
            yield _loops("dask", executor, pool, n, turns, rounds)
            yield _loops_beside_client(executor, client, n, turns, rounds)


def _naps(name: str, executor: Executor, n: int, rounds: int) -> Row:
    """Beside what it would take if nothing but the naps took time."""
    work.mapped.run(10, executor=executor)
    naps = min(timed(lambda: work.dozing.run(n, SECONDS, executor=executor))[0] for _ in range(rounds))
    what = f"{name}: {n} naps of 50 ms on {WORKERS} workers"
    return faster(SUBJECT, what, naps / n, SECONDS / WORKERS, "ideal", 0.95)


def _loops(
    name: str,
    executor: Executor,
    pool: ProcessPoolExecutor,
    n: int,
    turns: int,
    rounds: int,
    budget: Budget | None = None,
) -> Row:
    """Beside as many processes that do nothing else, half of the loops each."""
    list(pool.map(work.spins, [[1]] * WORKERS))  # its processes are there

    def by_hand(halves: list[list[int]]) -> list[Any]:
        return [value for half in pool.map(work.spins, halves) for value in half]

    row = _beside(by_hand, name, executor, n, turns, rounds, f"{WORKERS} processes, half each")
    return attrs.evolve(row, budget=budget)


def _loops_beside_client(executor: Executor, client: Client, n: int, turns: int, rounds: int) -> Row:
    """On as many cores as workers the scheduler takes its share; what is left of the ideal shows the same by hand."""

    def by_hand(halves: list[list[int]]) -> list[Any]:
        return [value for half in client.gather(client.map(work.spins, halves, pure=False)) for value in half]

    name = f"{WORKERS} tasks of client.map, half each"
    row = _beside(by_hand, "dask", executor, n, turns, rounds, name)
    return attrs.evolve(row, budget=Budget("≥", 0.95))


def _beside(
    by_hand: Callable[[list[list[int]]], list[Any]],
    name: str,
    executor: Executor,
    n: int,
    turns: int,
    rounds: int,
    theirs_name: str,
) -> Row:
    halves = [[turns] * (n // WORKERS)] * WORKERS
    ours, theirs = side_by_side(
        lambda: work.spinning.run(n, turns, executor=executor).result, lambda: by_hand(halves), rounds=rounds
    )
    what = f"{name}: {n} loops of 50 ms on {WORKERS} workers"
    return faster(SUBJECT, what, ours / n, theirs / n, theirs_name)
