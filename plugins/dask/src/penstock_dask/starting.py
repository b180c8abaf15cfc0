"""A cluster while it starts: made in a thread of its own, so that it can be given up before it is there.

What a class or a function waits for may never come. At the end of `start_timeout`, and after a Ctrl-C, what it has
begun is ended piece by piece, with the event loop that its start hangs in; distributed would leave all of it.
"""

from __future__ import annotations

import inspect
import sys
import threading
import time
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

from penstock_dask.ending import end, loop_of, result_of

HEAR_SECONDS = 0.2
"""How soon a signal is heard that another thread than the main one, which waits, was woken by."""


class LateError(Exception):
    """It was not there in time."""


class Starting:
    """What `make` gives, which is called at once; a coroutine of it runs in the loop of `runner`."""

    def __init__(self, make: Callable[[], Any], runner: LoopRunner) -> None:
        self._make, self._runner = make, runner
        self._made: Future[Any] = Future()
        self._given_up = False
        self._before = WeakSet(SpecCluster._instances)
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=copy_context().run, args=[self._run], name="penstock-dask-cluster", daemon=True
        )
        self._thread.start()

    def wait(self, seconds: float) -> Any:
        """The cluster. Raises LateError after so many seconds, or what `make` has raised."""
        deadline = time.monotonic() + seconds
        while not self._made.done():
            if time.monotonic() >= deadline:
                raise LateError
            with suppress(TimeoutError):  # which may also be what it has raised
                self._made.exception(HEAR_SECONDS)
        return self._made.result()

    def _run(self) -> None:
        try:
            made = self._make()
            if inspect.iscoroutine(made):
                made = sync(self._runner.loop, result_of, made)
        except BaseException as error:  # noqa: BLE001  (it is raised where somebody waits)
            self._made.set_exception(error)
            return
        with self._lock:
            self._made.set_result(made)
            late = self._given_up
        if late:
            end([made], self._runner)

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
            self._given_up = True
        end(self.begun(), self._runner, self._thread)
