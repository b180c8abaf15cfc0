"""Large values on Dask: arrays that are made on the workers and summed there, beside futures by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from distributed import Client

from benchmarks.clusters import cluster
from benchmarks.rows import Row, slower
from benchmarks.timing import side_by_side
from penstock import flow, task

SUBJECT = "large"
MIB = 8


def make(seed: int) -> Any:
    """An array of 8 MiB."""
    return np.full(MIB * 2**17, float(seed))


def total(array: Any) -> float:
    """Its sum."""
    return float(array.sum())


make_task, total_task = task(make), task(total)


@flow
def sums(n: int) -> Any:
    """n arrays, each summed."""
    return total_task.map(make_task.map(range(n)))


@flow
def sums_apart(n: int) -> Any:
    """n arrays, all of which are there before the first is summed."""
    arrays = make_task.map(range(n))
    return total_task.after(arrays).map(arrays)


def rows(quick: bool) -> Iterator[Row]:
    """Where the engine may put each sum beside its array, and where it may not."""
    n = 16 if quick else 64
    with cluster() as (executor, client):
        for what, ours in (("each summed downstream", sums), ("summed once all are there", sums_apart)):
            seconds = side_by_side(
                lambda ours=ours: ours.run(n, executor=executor).result,
                lambda: _by_futures(client, n),
                rounds=2,
            )
            row = slower(SUBJECT, f"{n} arrays of {MIB} MiB, {what}", *seconds, "raw futures", 1.2)
            yield attrs.evolve(row, later=True)


def _by_futures(client: Client, n: int) -> Any:
    arrays = client.map(make, range(n), pure=False)
    return client.gather(client.map(total, arrays, pure=False))
