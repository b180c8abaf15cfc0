"""What penstock learns of this package without importing dask."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.executor import ExecutorSpec
from penstock.hooks import hookimpl

NAME = "dask"
"""What the executor is called, here and in the errors of its options."""


@hookimpl
def penstock_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name=NAME,
        target="penstock_dask.executor:DaskExecutor",
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
        api_version=2,
    )
