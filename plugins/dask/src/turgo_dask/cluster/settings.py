"""Applies settings of the whole process while temporary clusters are open. Then restores the user's.

    first cluster opens ──> save, apply ··· others open and close ··· last cluster closes ──> restore

Dask's configuration, the environment and the modules belong to the process, and several executors may be open in it
at once, in threads. Each would restore what it found, which may be what another one had applied: so they are counted.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import dask.config

from turgo_dask.cluster.dashboard import dashboard_settled


class SharedSettings:
    """Settings of dask's configuration, applied once however many clusters want them."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._users = 0
        self._applied = ExitStack()

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The settings are in force, save where the user has set something else."""
        with self._lock:
            if self._users == 0:
                self._applied.callback(_restore, saved_environment())
                self._applied.enter_context(dashboard_settled())
                chosen = {key: value for key, value in self.settings.items() if not set_by_user(key)}
                self._applied.enter_context(dask.config.set(chosen))
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    self._applied.close()


def saved_environment() -> dict[str, str | None]:
    """The variables that distributed sets in this process for its workers, as they are now."""
    names = [*dask.config.get("distributed.nanny.pre-spawn-environ", {}), "PYTHONHASHSEED"]
    return {name: os.environ.get(name) for name in names}


def _restore(environment: Mapping[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def set_by_user(key: str) -> bool:
    """Whether a file or the environment sets it, or a program has set another value than dask's own."""
    default = next(
        (found for config in dask.config.defaults if (found := dask.config.get(key, None, config=config))),
        None,
    )
    if dask.config.get(key, default) != default:
        return True
    return dask.config.get(key, None, config=dask.config.collect()) is not None
