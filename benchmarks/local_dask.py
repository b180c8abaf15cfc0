"""The executor `local_dask` beside dask's own schedulers, joblib and the pools of the standard library."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any

import dask.multiprocessing
import dask.threaded
from joblib import Parallel, delayed

from benchmarks import work
from benchmarks.rows import Row, faster, slower
from benchmarks.timing import side_by_side, timed
from turgo_local_dask import LocalDaskExecutor

SUBJECT = "local_dask"
WORKERS = 2
LAYERS, WIDTH = 50, 100
CHUNK = 1000


def rows(quick: bool) -> Iterator[Row]:
    """Threads, then processes; the pools are made once and warm before anything is timed."""
    n, rounds = (10_000, 2) if quick else (10_000, 5)
    with ThreadPoolExecutor(WORKERS) as pool:
        yield from _scheduler("threads", dask.threaded.get, pool, n, rounds)
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawning) as pool:
        yield _start_up(pool)
        yield from _scheduler("processes", dask.multiprocessing.get, pool, n, rounds)
        executor = LocalDaskExecutor(scheduler="processes", num_workers=WORKERS)
        with executor.start():
            yield from _large(executor, pool, 8 if quick else 64)


def _start_up(pool: Pool) -> Row:
    executor = LocalDaskExecutor(scheduler="processes", num_workers=WORKERS)

    def ours() -> list[Any]:
        with executor.start():
            return list(work.mapped.run(WORKERS, executor=executor).result)

    theirs, _ = timed(lambda: list(pool.map(work.noop, range(WORKERS))))
    what = "processes: start, run 2 tasks and, turgo only, close"
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
    chunks = [range(at, min(at + CHUNK, n)) for at in range(0, n, CHUNK)]
    with Parallel(n_jobs=WORKERS, prefer=name) as parallel:
        others: dict[str, Callable[[], list[Any]]] = {
            f"dask.get, {name}": lambda: list(get(graph, keys, pool=pool)),
            f"{type(pool).__name__}.map": lambda: list(pool.map(work.noop, range(n))),
            f"joblib, {name}": lambda: list(parallel(delayed(work.noop)(at) for at in range(n))),
            f"chunks of {CHUNK:,} by hand": lambda: list(chain.from_iterable(pool.map(work.noops, chunks))),
        }
        work.mapped.run(100, executor=executor)  # the pools are warm then
        list(pool.map(work.noop, range(100)))
        parallel(delayed(work.noop)(at) for at in range(100))
        ours, *theirs = side_by_side(
            lambda: work.mapped.run(n, executor=executor).result, *others.values(), rounds=rounds
        )
    what = f"{name}: {n:,} mapped no-ops"
    for other, seconds in zip(others, theirs, strict=True):
        if other.startswith("chunks"):  # they keep no record of their calls
            yield slower(SUBJECT, what, ours / n, seconds / n, other, 4)
        else:
            yield faster(SUBJECT, what, ours / n, seconds / n, other, 10 if other.startswith("dask") else 1)


def _layered(name: str, executor: LocalDaskExecutor, get: Callable[..., Any], pool: Pool, rounds: int) -> Row:
    graph, keys = work.layered_graph(LAYERS, WIDTH)
    ours, theirs = side_by_side(
        partial(_result, executor), lambda: list(get(graph, keys, pool=pool)), rounds=rounds
    )
    tasks = LAYERS * WIDTH
    what = f"{name}: {LAYERS} layers x {WIDTH} no-ops, each on 3"
    return faster(SUBJECT, what, ours / tasks, theirs / tasks, f"dask.get, {name}", 5)


def _large(executor: LocalDaskExecutor, pool: Pool, n: int) -> Iterator[Row]:
    """Where the engine may put each sum beside its array, and where every array passes through the driver."""
    executor.wait(executor.map(work.total, executor.map(work.array, range(WORKERS))))  # numpy is imported
    list(pool.map(work.total, list(pool.map(work.array, range(WORKERS)))))
    for what, ours in (
        ("each summed downstream", work.sums),
        ("summed once all are there", work.sums_apart),
    ):
        mine, theirs = side_by_side(
            lambda ours=ours: ours.run(n, executor=executor).result,
            lambda: list(pool.map(work.total, list(pool.map(work.array, range(n))))),
            rounds=2,
        )
        what = f"processes: {n} arrays of 8 MiB, {what}"
        yield faster(SUBJECT, what, mine / n, theirs / n, "ProcessPoolExecutor.map, twice", 0.8)


def _result(executor: LocalDaskExecutor) -> Any:
    return work.layered.run(LAYERS, WIDTH, executor=executor).result
