"""Large values on Dask: arrays that are made on the workers and summed there, beside futures by hand."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, Self

from distributed import Client

from benchmarks import work
from benchmarks.clusters import cluster
from benchmarks.rows import Budget, Row, slower
from benchmarks.timing import side_by_side
from turgo.executor import Executor
from turgo_dask import DaskExecutor

SUBJECT = "large"
MIB = 8


class Weighed:
    """Counts the bytes that pass through the driver: all that an executor is given, and all that it brings."""

    def __init__(self, executor: DaskExecutor) -> None:
        self.executor, self.sent, self.came = executor, 0, 0
        self._submit, self._wait = executor.submit, executor.wait

    def __enter__(self) -> Self:
        self.executor.submit, self.executor.wait = self.submit, self.wait  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        del self.executor.submit, self.executor.wait

    def submit(self, fn: Any, /, *args: Any, **more: Any) -> Any:
        """As the executor does it. A future weighs nothing: only its key travels."""
        self.sent += len(pickle.dumps([each for each in (fn, *args) if not _holds_futures(each)]))
        return self._submit(fn, *args, **more)

    def wait(self, futures: Any) -> Any:
        """As the executor does it."""
        values = self._wait(futures)
        self.came += len(pickle.dumps(values))
        return values


def _holds_futures(value: Any) -> bool:
    each = value[0] if isinstance(value, list) and value else value
    return hasattr(each, "add_done_callback")


def rows(quick: bool) -> Iterator[Row]:
    """Where the engine may put each sum beside its array, and where it may not; and a table that all calls read."""
    n = 64
    with cluster() as (executor, client):
        for what, ours in (
            ("each summed downstream", work.sums),
            ("summed once all are there", work.sums_apart),
        ):
            seconds = side_by_side(
                lambda ours=ours: ours.run(n, executor=executor).result,
                lambda: _by_futures(client, n),
                rounds=3 if quick else 5,
            )
            yield slower(SUBJECT, f"{n} arrays of {MIB} MiB, {what}", *seconds, "raw futures", 1.2)
        yield _through_the_driver(executor, n)
        seconds = side_by_side(
            lambda: work.looked_up.run(n, executor=executor).result,
            lambda: _looked_up(client, n),
            rounds=3 if quick else 5,
        )
        yield slower(SUBJECT, f"{n} calls that read a table of {MIB} MiB", *seconds, "scatter, client.map")


def _by_futures(client: Client, n: int) -> Any:
    arrays = client.map(work.array, range(n), pure=False)
    return client.gather(client.map(work.total, arrays, pure=False))


def _looked_up(client: Client, n: int) -> Any:
    table = client.scatter(work.table(), hash=False)
    return client.gather(client.map(work.look_up, range(n), table=table, pure=False))


def _through_the_driver(executor: Executor, n: int) -> Row:
    assert isinstance(executor, DaskExecutor)
    with Weighed(executor) as weighed:
        work.sums_apart.run(n, executor=executor)
    mib = (weighed.sent + weighed.came) / 2**20
    what = f"{n} arrays of {MIB} MiB, bytes that pass through the driver"
    return Row(subject=SUBJECT, what=what, ratio=mib, unit="MiB", budget=Budget("≤", 1.0))
