"""Shows the calls to dask's own diagnostics. These are ProgressBar, Profiler and whatever else is a dask callback.

    with ProgressBar(): ──active──> start() ──> start, start_state
                                      submit ──> pretask            a key for each submission: (name, number)
                                      done   ──> posttask           not for one that failed, as in dask
                                    leaving ──> finish

Callbacks that are active when `start()` is entered see all that is submitted until it is left. As in dask, they are
inactive for what a call computes by dask itself. A flow submits batches, so that several quick calls are one key.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Any

from dask.callbacks import Callback, local_callbacks, unpack_callbacks

Key = tuple[str, int]


class Label:
    """Stands for the function of a call in the graph: diagnostics show its name, and nothing is kept alive by it."""

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self.__qualname__ = name

    def __call__(self) -> None:
        """Nobody calls it: the call is on its way already."""


class Diagnostics:
    """A graph that grows with each submission, and its state, as dask's callbacks take them. Any thread may use it."""

    def __init__(self, callbacks: Any) -> None:
        start, start_state, pretask, posttask, finish = unpack_callbacks(callbacks)
        self._pretask = pretask
        self._posttask = posttask
        self._finish = finish
        self._lock = threading.RLock()
        self._graph: dict[Key, tuple[Label]] = {}
        self._state: dict[str, Any] = {
            "cache": {},
            "dependencies": {},
            "dependents": {},
            "finished": set(),
            "ready": [],
            "released": set(),
            "running": set(),
            "waiting": {},
            "waiting_data": {},
        }
        self._lanes: dict[Key, int] = {}
        self._free: list[int] = []
        for each in start:
            each(self._graph)
        for each in start_state:
            each(self._graph, self._state)

    def submitted(self, name: str) -> Key:
        """A call is about to be submitted. Returns its key."""
        with self._lock:
            key = (name, len(self._graph))
            self._graph[key] = (Label(name),)
            self._state["running"].add(key)
            self._lanes[key] = heappop(self._free) if self._free else len(self._lanes)
            for each in self._pretask:
                each(key, self._graph, self._state)
        return key

    def done(self, key: Key, future: Future[Any]) -> None:
        """A call is over. What runs at one time has different numbers, which stand for the workers."""
        failed = future.cancelled() or future.exception() is not None
        with self._lock:
            lane = self._lanes.pop(key)
            heappush(self._free, lane)
            self._state["running"].discard(key)
            self._state["finished"].add(key)
            for each in () if failed else self._posttask:
                each(key, future.result(), self._graph, self._state, lane)

    def close(self, *, failed: bool) -> None:
        """Nothing more is submitted."""
        with self._lock:
            for each in self._finish:
                each(self._graph, self._state, failed)


@contextmanager
def active_diagnostics() -> Iterator[Diagnostics | None]:
    """The diagnostics for the callbacks that are active now; None if there are none, so that nothing is slower."""
    if not Callback.active:
        yield None
        return
    with local_callbacks() as callbacks:
        diagnostics = Diagnostics(callbacks)
        failed = True
        try:
            yield diagnostics
            failed = False
        finally:
            diagnostics.close(failed=failed)
