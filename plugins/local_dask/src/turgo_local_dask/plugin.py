"""What turgo learns of this package without importing dask."""

from __future__ import annotations

from collections.abc import Iterable

from turgo.executor import ExecutorSpec
from turgo.hooks import hookimpl


@hookimpl
def turgo_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name="local_dask",
        target="turgo_local_dask.executor:LocalDaskExecutor",
        summary="every core of this machine, by threads or processes, as dask is configured",
        capabilities=frozenset({"parallel", "forwards_logs"}),
        api_version=1,
    )
