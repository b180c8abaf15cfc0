"""What turgo learns of this package without importing dask."""

from __future__ import annotations

from collections.abc import Iterable

from turgo.executor import ExecutorSpec
from turgo.hooks import hookimpl

NAME = "dask"
"""What the executor is called, here and in the errors of its options."""


@hookimpl
def turgo_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name=NAME,
        target="turgo_dask.executor:DaskExecutor",
        summary="a Dask cluster: a temporary one of any class, or a running one by its address",
        capabilities=frozenset(
            {
                "parallel",
                "distributed",
                "hard_timeouts",
                "survives_worker_loss",
                "keeps_results_remote",
                "resources",
            }
        ),
        api_version=1,
    )
