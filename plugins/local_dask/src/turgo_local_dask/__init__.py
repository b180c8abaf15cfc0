"""Turgo on the cores of one machine. It uses threads, processes or one after another, as dask is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turgo_local_dask._version import __version__

if TYPE_CHECKING:
    from turgo_local_dask.executor import LocalDaskExecutor

__all__ = ["LocalDaskExecutor", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "LocalDaskExecutor":  # late, so that importing the plugin for its spec imports no dask
        from turgo_local_dask.executor import LocalDaskExecutor

        return LocalDaskExecutor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
