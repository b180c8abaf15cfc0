"""Large values on Dask: arrays that are made on the workers and summed there, beside futures by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
from distributed import Client

from benchmarks import work
from benchmarks.clusters import cluster
from benchmarks.rows import Row, slower
from benchmarks.timing import side_by_side

SUBJECT = "large"
MIB = 8


def rows(quick: bool) -> Iterator[Row]:
    """Where the engine may put each sum beside its array, and where it may not."""
    n = 8 if quick else 64
    with cluster() as (executor, client):
        for what, ours in (
            ("each summed downstream", work.sums),
            ("summed once all are there", work.sums_apart),
        ):
            seconds = side_by_side(
                lambda ours=ours: ours.run(n, executor=executor).result,
                lambda: _by_futures(client, n),
                rounds=2,
            )
            row = slower(SUBJECT, f"{n} arrays of {MIB} MiB, {what}", *seconds, "raw futures", 1.2)
            yield attrs.evolve(row, later=True)


def _by_futures(client: Client, n: int) -> Any:
    arrays = client.map(work.array, range(n), pure=False)
    return client.gather(client.map(work.total, arrays, pure=False))
