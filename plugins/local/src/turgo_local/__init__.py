"""Turgo's local executor runs every call at once in the submitting thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turgo_local._version import __version__

if TYPE_CHECKING:
    from turgo_local.executor import LocalExecutor

__all__ = ["LocalExecutor", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "LocalExecutor":  # late, so that importing the plugin for its spec imports no executor
        from turgo_local.executor import LocalExecutor

        return LocalExecutor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
