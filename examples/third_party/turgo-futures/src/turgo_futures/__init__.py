"""Turgo on any pool that has the interface of `concurrent.futures.Executor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turgo_futures._version import __version__

if TYPE_CHECKING:
    from turgo_futures.executor import FuturesExecutor

__all__ = ["FuturesExecutor", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "FuturesExecutor":  # late, so that importing the plugin for its spec imports no executor
        from turgo_futures.executor import FuturesExecutor

        return FuturesExecutor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
