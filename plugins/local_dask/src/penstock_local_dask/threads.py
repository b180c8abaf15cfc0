"""A pool of threads that can be left: what runs is interrupted if CPython can; nothing keeps Python alive.

`concurrent.futures.ThreadPoolExecutor` joins its threads when the interpreter ends, however long they take,
so one task that hangs would keep a run alive after Ctrl-C. The threads here are daemons.
"""

from __future__ import annotations

import ctypes
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import Any

logger = logging.getLogger(__name__)

_Work = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any], str]


class Interrupted(BaseException):
    """Raised in a thread of the pool to end what it runs: of a flow a whole batch, not one call of it."""

    goes_on = True


class ThreadPool:
    """At most `workers` threads, started when there is work that no idle one can take."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._running: dict[int, tuple[str, Future[Any]]] = {}  # by the thread's ident
        self._idle = threading.Semaphore(0)
        self._closed = False
        self._lock = threading.Lock()

    def submit(
        self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Run `fn(*args, **kwargs)` in a thread. `name` is how messages call it."""
        future: Future[Any] = Future()
        self._queue.put((future, fn, args, kwargs, name))
        if len(self._threads) < self.workers and not self._idle.acquire(blocking=False):
            self._start_thread()
        return future

    def _start_thread(self) -> None:
        with self._lock:
            if len(self._threads) < self.workers and not self._closed:
                name = f"penstock-thread-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        ident = threading.get_ident()
        future: Future[Any] | None = None
        try:
            while (work := self._queue.get()) is not None:
                future, fn, args, kwargs, name = work
                self._running[ident] = (name, future)
                del work
                if self._closed:
                    future.cancel()
                if future.set_running_or_notify_cancel():
                    _settle(future, fn, args, kwargs)
                future = fn = args = kwargs = None  # type: ignore[assignment]  # an idle thread keeps nothing alive
                self._running.pop(ident, None)
                if len(self._threads) < self.workers:
                    self._idle.release()
        except Interrupted as interrupted:
            if future is not None:
                _set(future, error=interrupted)
        finally:
            self._running.pop(ident, None)

    def close(self) -> None:
        """Let what runs come to its end; what waits is cancelled."""
        self._cancel_waiting()
        for thread in self._threads:
            thread.join()

    def stop(self, seconds: float) -> None:
        """Interrupt what runs and wait for at most `seconds`. Warns of calls that could not be stopped."""
        self._cancel_waiting()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            if thread.ident in self._running and thread is not threading.current_thread():
                _interrupt(thread)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        self._give_up()

    def _give_up(self) -> None:
        """Nobody shall wait for what could not be stopped; its outcome is dropped."""
        left = list(self._running.values())
        for name, future in left:
            _set(future, error=CancelledError(f"{name} could not be stopped, and was given up"))
        if left:
            names = ", ".join(sorted(name for name, _ in left))
            logger.warning(
                "threads cannot be killed: %d call(s) run on in the background: %s", len(left), names
            )

    def _cancel_waiting(self) -> None:
        with self._lock:
            self._closed = True
        try:
            while True:
                work = self._queue.get_nowait()
                if work is not None and work[0].cancel():
                    work[0].set_running_or_notify_cancel()
        except queue.Empty:
            pass
        for _ in self._threads:
            self._queue.put(None)


def _settle(
    future: Future[Any], fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        value = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  (the error is handed on, as the future's)
        _set(future, error=error)
    else:
        _set(future, value=value)


def _set(future: Future[Any], *, value: Any = None, error: BaseException | None = None) -> None:
    """Settle `future`, unless it was given up in the meantime."""
    with suppress(InvalidStateError):
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)


def _interrupt(thread: threading.Thread) -> None:
    """Raise Interrupted in `thread` at its next bytecode; one that waits in a C call gets it afterwards."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Interrupted)
        )
