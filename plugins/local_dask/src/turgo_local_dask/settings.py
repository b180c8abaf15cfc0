"""Applies settings of the whole process while executors are open. Then the user's are in force again.

    first opens ──> applied ──┬── second opens ──> applied on top
    first closes ─────────────┴──> taken from below the second ··· second closes ──> as before

Dask's configuration and the environment belong to the process, and several executors may be open in it at once, in
threads, and close in any order. Each would restore what it had found, which may be what another one had applied.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import dask.config

SHARED_HASH_SEED = "6640"
"""What strings are hashed with in all processes: the same as dask sets."""

HASH_SEED = "PYTHONHASHSEED"
"""The variable that says so."""


class ProcessSettings:
    """What the open executors of this process have applied, the oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._applied: list[tuple[object, Mapping[str, Any], AbstractContextManager[Any]]] = []
        self._seed: str | None = None
        self._seeded = False

    @contextmanager
    def applied(self, config: Mapping[str, Any]) -> Iterator[None]:
        """Settings of dask's configuration are in force, and strings hash alike in all processes that are started."""
        mark = object()
        with self._lock:
            if not self._applied:
                self._share_hashes()
            self._apply(mark, config)
        try:
            yield
        finally:
            with self._lock:
                self._remove(mark)
                if not self._applied:
                    self._restore_hashes()

    def _apply(self, mark: object, config: Mapping[str, Any]) -> None:
        entered = dask.config.set(config)
        entered.__enter__()
        self._applied.append((mark, config, entered))

    def _remove(self, mark: object) -> None:
        """Take one away; those that were applied on top of it are applied anew."""
        later: list[tuple[object, Mapping[str, Any]]] = []
        while True:
            own, config, entered = self._applied.pop()
            entered.__exit__(None, None, None)
            if own is mark:
                break
            later.append((own, config))
        for each in reversed(later):
            self._apply(*each)

    def _share_hashes(self) -> None:
        self._seed = os.environ.get(HASH_SEED)
        self._seeded = self._seed in (None, "0")  # else somebody has chosen one
        if self._seeded:
            os.environ[HASH_SEED] = SHARED_HASH_SEED

    def _restore_hashes(self) -> None:
        if not self._seeded:
            return
        if self._seed is None:
            os.environ.pop(HASH_SEED, None)
        else:
            os.environ[HASH_SEED] = self._seed


of_this_process = ProcessSettings()
"""Those that there are, as there is one configuration and one environment."""
