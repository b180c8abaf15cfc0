"""A pool of processes that survives the death of one. It can be left at once.

    submit ──pickled here──> queue ──> Runner 0 ──pipe──> process 0: worker.main
                                  └──> Runner 1 ──pipe──> process 1

Each process belongs to one thread of the driver, which gives it one call after another. So it is always known which
call a process holds: the one that kills its process is found by that, a call that takes too long is ended together
with its process, and the others do not notice. `concurrent.futures.ProcessPoolExecutor` shares one pipe among all
processes, and is broken for good when one of them dies.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import cloudpickle
import dask.config
import dask.multiprocessing

from turgo.errors import ValueNotPortableError
from turgo_local_dask.processes.pipe import packed
from turgo_local_dask.processes.process_future import ProcessFuture
from turgo_local_dask.processes.runner import Calls, Runner
from turgo_local_dask.processes.worker_process import Setup

EXIT_STOP_SECONDS = 1.0
"""How long the end of the program waits for the processes of a pool that was never left."""

POLITE_SHARE = 0.5
"""The part of the time for stopping that processes have to end by themselves."""


class ProcessPool:
    """At most `workers` processes, started when they are needed, by dask's configured method."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._owner = os.getpid()
        self._setup = Setup(
            dask.multiprocessing.get_context(),
            cloudpickle.dumps(dask.config.get("multiprocessing.initializer", None)),
        )
        self.listeners = self._setup.listeners
        self._calls: Calls = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._closed = False
        self._runners: list[Runner] = []
        self._lock = threading.Lock()
        atexit.register(self._end_with_program)  # a pool that is never left would keep Python from ending

    def submit(
        self,
        name: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float | None = None,
    ) -> Future[Any]:
        """Run `fn(*args, **kwargs)` in a process, for `seconds` at most. `name` is how messages call it."""
        future = ProcessFuture(name, seconds)
        try:
            future.call = packed((seconds is not None, fn, args, kwargs))
        except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
            unportable = error
            if not isinstance(error, ValueNotPortableError):  # which says whose argument it is
                unportable = ValueNotPortableError(f"the call {name!r} cannot be pickled: {error}")
                unportable.__cause__ = error
            future.fail(unportable)
            return future
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._calls.put(future)
            if len(self._runners) < self.workers and not self._idle.acquire(blocking=False):
                self._runners.append(Runner(len(self._runners), self._calls, self._idle, self._setup))
        return future

    def close(self) -> None:
        """Let what runs come to its end; what waits is cancelled."""
        for runner in self._shut():
            runner.thread.join()

    def stop(self, seconds: float) -> None:
        """End the processes within `seconds`, whatever they do: terminate, kill, join.

        Those of another process are left alone: at the end of one that was forked from it, say.
        """
        if os.getpid() != self._owner:
            return
        began = time.monotonic()
        runners = self._shut()
        for runner in runners:
            runner.terminate()
        _join(runners, began + POLITE_SHARE * seconds)
        for runner in runners:
            runner.kill()
        _join(runners, began + seconds)

    def _end_with_program(self) -> None:
        """Later than now, as Python is taken down, nothing could be ended once more."""
        self.stop(EXIT_STOP_SECONDS)
        self._runners = []

    def _shut(self) -> list[Runner]:
        with self._lock:
            self._closed = True
        atexit.unregister(self._end_with_program)
        waiting = []
        try:
            while True:
                waiting.append(self._calls.get_nowait())
        except queue.Empty:
            pass
        for future in waiting:
            if future is not None:
                future.cancel()
        for _ in self._runners:
            self._calls.put(None)
        return self._runners


def _join(runners: list[Runner], until: float) -> None:
    for runner in runners:
        if runner.thread is not threading.current_thread():
            runner.thread.join(max(0.0, until - time.monotonic()))
