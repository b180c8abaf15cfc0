"""A pool of processes that survives the death of one, and that can be left at once.

    submit ──cloudpickle──> ProcessPoolExecutor ──> worker.call ──> Outcome ──> the future, in its thread

The pool of the standard library is broken for good when a process dies. This one fails the calls that it
held with WorkerLostError and makes a new pool for those that come later.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from typing import Any

import cloudpickle
import dask.config
import dask.multiprocessing

from penstock.errors import ValueNotPortableError, WorkerLostError
from penstock_local_dask import worker


class ProcessFuture(Future[Any]):
    """The future of a call in a process. `inner` is that of the pool, for the same call in pickled form."""

    def __init__(self, closing: Any) -> None:
        super().__init__()
        self.inner: Future[Any] | None = None
        self._closing = closing

    def cancel(self) -> bool:
        """Take the call back; False once a process has it."""
        inner = self.inner
        if inner is not None and not self.done():
            return inner.cancel()  # settles this one, through its callback
        return super().cancel()

    def running(self) -> bool:
        """Whether a process has it."""
        inner = self.inner
        return not self.done() and inner is not None and inner.running()

    def follow(self, inner: Future[Any]) -> None:
        """Take on what becomes of `inner`."""
        self.inner = inner
        inner.add_done_callback(self._settle)

    def _settle(self, inner: Future[Any]) -> None:
        self._take_on(inner)
        self.inner = None  # the two hold each other, and the value until the garbage collector comes by

    def _take_on(self, inner: Future[Any]) -> None:
        try:
            value = inner.result()
        except (CancelledError, worker.NotBegun):
            self._cancelled()
        except BrokenProcessPool as broken:
            if self._closing.value:
                return self._cancelled()  # by us, on leaving `start()`
            lost = WorkerLostError(f"the process that held the call is gone: {broken}", sure=False)
            self._fail(broken, lost)  # not sure, as the pool loses all that it holds when one process dies
        except BaseException as error:  # noqa: BLE001  (the error is handed on, as the future's)
            self.set_exception(error)
        else:
            self._read(value) if type(value) is worker.Outcome else self.set_result(value)

    def _cancelled(self) -> None:
        super().cancel()
        self.set_running_or_notify_cancel()

    def _read(self, outcome: worker.Outcome) -> None:
        try:
            value = pickle.loads(outcome.payload)
        except Exception as error:  # noqa: BLE001  (unpickling runs the user's code)
            self._fail(error, ValueNotPortableError(f"what the call gave cannot be unpickled here: {error}"))
            return
        if outcome.traceback_text is None:
            self.set_result(value)
        else:
            self._fail(worker.RemoteTraceback(outcome.traceback_text), value)

    def _fail(self, cause: BaseException, error: BaseException) -> None:
        if error.__cause__ is None:
            error.__cause__ = cause
        self.set_exception(error)


class ProcessPool:
    """At most `workers` processes, started when they are needed, by dask's configured method."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._context = dask.multiprocessing.get_context()
        self._closing = self._context.RawValue("b", 0)
        self._pool: ProcessPoolExecutor | None = None
        self._closed = False
        self._lock = threading.Lock()

    def submit(
        self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Run `fn(*args, **kwargs)` in a process. `name` is how messages call it."""
        future = ProcessFuture(self._closing)
        try:
            payload = cloudpickle.dumps((fn, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
            not_portable = ValueNotPortableError(f"the call {name!r} cannot be pickled: {error}")
            not_portable.__cause__ = error
            future.set_exception(not_portable)
            return future
        future.follow(self._hand_over(payload))
        return future

    def _hand_over(self, payload: bytes) -> Future[Any]:
        with self._lock:
            try:
                return self._opened().submit(worker.call, payload)
            except BrokenProcessPool:
                self._pool = None  # the standard library has ended what was left of it
                return self._opened().submit(worker.call, payload)

    def _opened(self) -> ProcessPoolExecutor:
        if self._closed:
            raise RuntimeError("the pool is closed")
        if self._pool is None:
            initializer = cloudpickle.dumps(dask.config.get("multiprocessing.initializer", None))
            self._pool = ProcessPoolExecutor(
                self.workers,
                mp_context=self._context,
                initializer=worker.initialize,
                initargs=(self._closing, initializer),
            )
        return self._pool

    def close(self) -> None:
        """Let what runs come to its end; what waits is cancelled."""
        pool = self._shut()
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def stop(self, seconds: float) -> None:
        """End the processes within `seconds`, whatever they do: terminate, kill, join."""
        pool = self._shut()
        if pool is None:
            return
        processes = list[BaseProcess]((pool._processes or {}).values())
        manager: Any = pool._executor_manager_thread  # it settles the futures
        pool.shutdown(wait=False, cancel_futures=True)
        _end(processes, seconds)
        if manager is not None and manager is not threading.current_thread():
            manager.join(seconds)

    def _shut(self) -> ProcessPoolExecutor | None:
        self._closing.value = 1
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        return pool


def _end(processes: list[BaseProcess], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(max(0.0, deadline - seconds / 2 - time.monotonic()))
    for process in processes:
        if process.is_alive():
            process.kill()
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
