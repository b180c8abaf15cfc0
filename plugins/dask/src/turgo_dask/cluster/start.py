"""Starts a cluster in a thread of its own. So the start can be ended before it is over.

A class or a function may wait for ever. At the end of `start_timeout`, and after a Ctrl-C, what it has begun is ended
piece by piece, with the event loop that its start hangs in; distributed would leave all of it.
"""

from __future__ import annotations

import inspect
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from types import FrameType
from typing import Any
from weakref import WeakSet

from distributed.deploy import Cluster, SpecCluster
from distributed.utils import LoopRunner, sync

from turgo_dask.cluster.deadline import Deadline
from turgo_dask.cluster.live import progress_of
from turgo_dask.cluster.teardown import end, loop_of, result_of

START_POLL_SECONDS = 0.2
"""Maximum seconds to block. A signal that another thread receives is handled only when the main thread's wait ends."""


class LateStartError(Exception):
    """The cluster was not up in time."""


class ClusterStart:
    """What `make` gives, which is called at once; a coroutine of it runs in the loop of `runner`."""

    def __init__(self, make: Callable[[], Any], runner: LoopRunner) -> None:
        self._make = make
        self._runner = runner
        self._made: Future[Any] = Future()
        self._given_up: list[Any] | None = None  # what was ended then
        self._before = WeakSet(SpecCluster._instances)
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=copy_context().run, args=[self._run], name="turgo-dask-cluster", daemon=True
        )
        try:
            self._thread.start()
        except BaseException:  # Ctrl-C: it waits for the thread to begin, which may be far ahead by then
            self.give_up()
            raise

    def wait(self, deadline: Deadline, name: str) -> Any:
        """The cluster. Raises LateStartError when the time is up, or what `make` has raised."""
        while not self._made.done():
            if deadline.over:
                raise LateStartError
            seen = "; ".join(self.progress(shown=0))
            deadline.waiting(f"starting {name} …{f' ({seen})' if seen else ''}", urgent=False)
            with suppress(TimeoutError):  # which may also be what it has raised
                self._made.exception(START_POLL_SECONDS)
        return self._made.result()

    def _run(self) -> None:
        with self._lock:
            unwanted = self._given_up is not None
        if unwanted:
            return
        try:
            made = self._make()
            if inspect.iscoroutine(made):
                made = sync(self._runner.loop, result_of, made)
        except BaseException as error:  # noqa: BLE001  (it is raised where somebody waits)
            self._made.set_exception(error)
            return
        with self._lock:
            self._made.set_result(made)
            late = self._given_up is not None and all(made is not each for each in self._given_up)
        if late:
            end([made], self._runner)

    def progress(self, *, shown: int = 3) -> list[str]:
        """How far the clusters are that have begun to start; nothing of one that has not come to its workers yet."""
        begun = [cluster for cluster in self.begun() if getattr(cluster, "plan", None)]
        return [each for cluster in begun for each in progress_of(cluster, shown=shown)]

    def begun(self) -> list[Any]:
        """The clusters that it has made so far, whole or not."""
        if self._made.done() and self._made.exception() is None:
            return [self._made.result()]
        found = [
            each
            for frame in self._frames()
            for name, each in list(frame.f_locals.items())
            if isinstance(each, Cluster) and (name == "self" or isinstance(each, SpecCluster))
        ]
        loop = self._runner.loop if self._runner.is_started() else None
        found += [each for each in list(SpecCluster._instances) if loop is not None and loop_of(each) is loop]
        return list({id(each): each for each in found if each not in self._before}.values())

    def _frames(self) -> Iterator[FrameType]:
        """Of the calls that it is in, or that an error came through."""
        error = self._made.exception() if self._made.done() else None
        if error is not None:
            yield from (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        else:
            frame = sys._current_frames().get(self._thread.ident or 0)
            while frame is not None:
                yield frame
                frame = frame.f_back

    def give_up(self) -> None:
        """End what was begun, within some seconds; what comes later ends as soon as it comes."""
        with self._lock:
            begun = self._given_up = self.begun()
        end(begun, self._runner, self._thread)
