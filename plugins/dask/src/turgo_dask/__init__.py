"""Turgo on a Dask cluster. It is a temporary one on this machine, one of any class, or one that runs already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turgo_dask._version import __version__

if TYPE_CHECKING:
    from turgo_dask.executor import DaskExecutor

__all__ = ["DaskExecutor", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "DaskExecutor":  # late, so that importing the plugin for its spec imports no dask
        from turgo_dask.executor import DaskExecutor

        return DaskExecutor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
