"""The executor `local_dask` beside dask's own schedulers, joblib and the pools of the standard library."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any

import dask.multiprocessing
import dask.threaded
from joblib import Parallel, delayed

from benchmarks import work
from benchmarks.rows import Row, faster
from benchmarks.timing import side_by_side, timed
from penstock_local_dask import LocalDaskExecutor

SUBJECT = "local_dask"
WORKERS = 2
LAYERS, WIDTH = 50, 100


def rows(quick: bool) -> Iterator[Row]:
    """Threads, then processes; the pools are made once and warm before anything is timed."""
    n, rounds = (10_000, 2) if quick else (10_000, 5)
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from _scheduler("threads", dask.threaded.get, pool, n, rounds)
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawning) as pool:
        yield _start_up(pool)
        yield from _scheduler("processes", dask.multiprocessing.get, pool, n, rounds)


def _start_up(pool: Pool) -> Row:
    executor = LocalDaskExecutor(scheduler="processes", num_workers=WORKERS)

    def ours() -> list[Any]:
        with executor.start():
            return list(work.mapped.run(WORKERS, executor=executor).result)

    theirs, _ = timed(lambda: list(pool.map(work.noop, range(WORKERS))))
    what = "processes: start, run 2 tasks and, penstock only, close"
    return faster(SUBJECT, what, timed(ours)[0], theirs, "ProcessPoolExecutor")


def _scheduler(name: str, get: Callable[..., Any], pool: Pool, n: int, rounds: int) -> Iterator[Row]:
    executor = LocalDaskExecutor(scheduler=name, num_workers=WORKERS)
    with executor.start():
        yield from _mapped(name, executor, get, pool, n, rounds)
        yield _layered(name, executor, get, pool, rounds)


def _mapped(
    name: str, executor: LocalDaskExecutor, get: Callable[..., Any], pool: Pool, n: int, rounds: int
) -> Iterator[Row]:
    graph, keys = work.mapped_graph(n)
    candidates = [
        lambda: work.mapped.run(n, executor=executor).result,
        lambda: list(get(graph, keys, pool=pool)),
        lambda: list(pool.map(work.noop, range(n))),
    ]
    names = [f"dask.get, {name}", f"{type(pool).__name__}.map"]
    with Parallel(n_jobs=WORKERS) as parallel:
        if name == "processes":
            candidates.append(lambda: parallel(delayed(work.noop)(at) for at in range(n)))
            names.append("joblib (loky)")
        work.mapped.run(100, executor=executor)  # the pools are warm then
        list(pool.map(work.noop, range(100)))
        parallel(delayed(work.noop)(at) for at in range(100))
        ours, *theirs = side_by_side(*candidates, rounds=rounds)
    for other, seconds in zip(names, theirs, strict=True):
        limit = 10 if other.startswith("dask") else None
        yield faster(SUBJECT, f"{name}: {n:,} mapped no-ops", ours / n, seconds / n, other, limit)


def _layered(name: str, executor: LocalDaskExecutor, get: Callable[..., Any], pool: Pool, rounds: int) -> Row:
    graph, keys = work.layered_graph(LAYERS, WIDTH)
    ours, theirs = side_by_side(
        partial(_result, executor), lambda: list(get(graph, keys, pool=pool)), rounds=rounds
    )
    tasks = LAYERS * WIDTH
    what = f"{name}: {LAYERS} layers x {WIDTH} no-ops, each on 3"
    return faster(SUBJECT, what, ours / tasks, theirs / tasks, f"dask.get, {name}", 5)


def _result(executor: LocalDaskExecutor) -> Any:
    return work.layered.run(LAYERS, WIDTH, executor=executor).result
