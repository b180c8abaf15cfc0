"""The executor `dask` beside `distributed` itself, on the same cluster."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from distributed import Client, LocalCluster

from benchmarks import work
from benchmarks.clusters import OPTIONS, cluster
from benchmarks.rows import Row, faster, slower
from benchmarks.timing import side_by_side, timed
from turgo_dask import DaskExecutor

SUBJECT = "dask"
LAYERS, WIDTH, LINKS, BY_HAND = 50, 100, 1_000, 100


def rows(quick: bool) -> Iterator[Row]:
    """First on a cluster as distributed configures it, then on one with `worker-saturation: inf`."""
    n = 2_000 if quick else 10_000
    yield _start_up()
    for saturation in (None, float("inf")):
        with cluster(saturation) as (executor, client):
            _warm(executor, client)
            if saturation is None:
                yield from _mapped(executor, client, n, "", 20, quick)
                yield _layered(executor, client, quick)
                yield _chain(executor, client, quick)
            else:
                yield from _mapped(executor, client, n, ", saturation inf", 6, quick)


def _start_up() -> Row:
    def ours() -> Any:
        executor = DaskExecutor(cluster_kwargs=OPTIONS)
        with executor.start():
            return work.mapped.run(2, executor=executor).result

    def theirs() -> Any:
        with LocalCluster(**OPTIONS) as local, Client(local, set_as_default=False) as client:
            return client.gather(client.map(work.noop, range(2)))

    ours_s, theirs_s = side_by_side(ours, theirs, rounds=3)
    return slower(
        SUBJECT, "start a cluster of 2, run 2 tasks, close", ours_s, theirs_s, "LocalCluster, Client", 1.15
    )


def _warm(executor: DaskExecutor, client: Client) -> None:
    """Connections are open, modules are imported, before anything is timed."""
    work.mapped.run(200, executor=executor)
    work.layered.run(5, 10, executor=executor)
    client.gather(client.map(work.noop, range(200), pure=False))
    client.gather(client.map(work.of_three, range(20), range(20), range(20), pure=False))


def _mapped(
    executor: DaskExecutor, client: Client, n: int, suffix: str, limit: float, quick: bool
) -> Iterator[Row]:
    chunks = [range(low, min(low + BY_HAND, n)) for low in range(0, n, BY_HAND)]

    def by_hand() -> list[Any]:
        done = client.gather(client.map(work.noops, chunks, pure=False))
        return [value for values in done for value in values]

    ours, hand = side_by_side(lambda: _values(executor, n), by_hand, rounds=3 if quick else 7)
    again, theirs = side_by_side(
        lambda: _values(executor, n),
        lambda: client.gather(client.map(work.noop, range(n), pure=False)),
        rounds=1 if quick else 2,
    )
    ours = min(ours, again)
    what = f"{n:,} mapped no-ops"
    yield faster(SUBJECT, what, ours / n, theirs / n, f"client.map{suffix}", limit)
    yield faster(SUBJECT, what, ours / n, hand / n, f"{BY_HAND} calls per task by hand{suffix}")


def _values(executor: DaskExecutor, n: int) -> Any:
    return work.mapped.run(n, executor=executor).result


def _layered(executor: DaskExecutor, client: Client, quick: bool) -> Row:
    names = count()

    def theirs() -> Any:  # keys of their own each time, or the second time would cost nothing
        return client.get(*work.layered_graph(LAYERS, WIDTH, f"layered-{next(names)}"))

    def ours() -> Any:
        return work.layered.run(LAYERS, WIDTH, executor=executor).result

    best, _ = timed(ours)
    ours_s, theirs_s = side_by_side(ours, theirs, rounds=1 if quick else 2)
    for _ in range(4):
        best = min(best, timed(ours)[0])
    tasks = LAYERS * WIDTH
    what = f"{LAYERS} layers x {WIDTH} no-ops, each on 3"
    return faster(SUBJECT, what, min(best, ours_s) / tasks, theirs_s / tasks, "client.get of the graph", 5)


def _chain(executor: DaskExecutor, client: Client, quick: bool) -> Row:
    names = count()

    def theirs() -> Any:
        return client.get(*work.chained_graph(LINKS, f"chained-{next(names)}"))

    def ours() -> Any:
        return work.chained.run(LINKS, executor=executor).result

    ours_s, theirs_s = side_by_side(ours, theirs, rounds=1 if quick else 2)
    for _ in range(4):
        ours_s = min(ours_s, timed(ours)[0])
    what = f"chain of {LINKS:,} no-ops"
    return faster(SUBJECT, what, ours_s / LINKS, theirs_s / LINKS, "client.get of the graph", 40)
