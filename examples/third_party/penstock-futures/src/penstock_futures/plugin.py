"""What penstock learns of this package without importing the executor."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.executor import ExecutorSpec
from penstock.hooks import hookimpl


@hookimpl
def penstock_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name="futures",
        target="penstock_futures.executor:FuturesExecutor",
        summary="any pool of concurrent.futures, by its dotted path: threads, processes, loky, MPI",
        capabilities={"parallel"},  # those of the default, a pool of threads
        api_version=2,
    )
