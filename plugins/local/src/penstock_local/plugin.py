"""What penstock learns of this package without importing the executor."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.executor import ExecutorSpec
from penstock.hooks import hookimpl


@hookimpl
def penstock_executors() -> Iterable[ExecutorSpec]:
    """The one executor of this package."""
    yield ExecutorSpec(
        name="local",
        target="penstock_local.executor:LocalExecutor",
        summary="every call at once, in the calling thread; for debugging and for small flows",
        api_version=2,
    )
