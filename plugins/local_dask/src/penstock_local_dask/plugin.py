"""What penstock learns of this package without importing dask."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.executor import ExecutorSpec
from penstock.hooks import hookimpl


@hookimpl
def penstock_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name="local_dask",
        target="penstock_local_dask.executor:LocalDaskExecutor",
        summary="every core of this machine, by threads or processes, as dask is configured",
        capabilities=frozenset({"parallel", "forwards_logs"}),
        api_version=2,
    )
