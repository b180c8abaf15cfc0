"""What turgo learns of this package without importing the executor."""

from __future__ import annotations

from collections.abc import Iterable

from turgo.executor import ExecutorSpec
from turgo.hooks import hookimpl


@hookimpl
def turgo_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name="futures",
        target="turgo_futures.executor:FuturesExecutor",
        summary="any pool of concurrent.futures, by its dotted path: threads, processes, loky, MPI",
        capabilities={"parallel"},  # those of the default, a pool of threads
        api_version=1,
    )
