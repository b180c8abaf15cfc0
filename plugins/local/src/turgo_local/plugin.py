"""What turgo learns of this package without importing the executor."""

from __future__ import annotations

from collections.abc import Iterable

from turgo.executor import ExecutorSpec
from turgo.hooks import hookimpl


@hookimpl
def turgo_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name="local",
        target="turgo_local.executor:LocalExecutor",
        summary="every call at once, in the calling thread; for debugging and for small flows",
        api_version=1,
    )
