"""A pool of threads that can be left. What runs is interrupted if CPython can; nothing keeps Python alive.

`concurrent.futures.ThreadPoolExecutor` joins its threads when the interpreter ends, however long they take,
so one task that hangs would keep a run alive after Ctrl-C. The threads here are daemons.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from typing import Any

from turgo.interrupt import Interrupt, raise_in

logger = logging.getLogger(__name__)

REPEATED_INTERRUPT_SECONDS = 0.5
"""Seconds after which a thread that has not ended is interrupted again."""

THREADS_EXIT_SECONDS = 0.5
"""Seconds that the end of the program waits for the threads of a pool that was never left."""

_Work = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any], str]


class ThreadPool:
    """At most `workers` threads, started when there is work that no idle one can take."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._owner = os.getpid()
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._interrupts: dict[int, Interrupt] = {}
        self._running: dict[int, tuple[str, Future[Any]]] = {}  # by the thread's ident
        self._idle = threading.Semaphore(0)
        self._closed = False
        self._lock = threading.Lock()
        atexit.register(self._end_with_program)  # while threads still run: later nobody could wait for them

    def submit(
        self,
        name: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float | None = None,
    ) -> Future[Any]:
        """Run `fn(*args, **kwargs)` in a thread. `name` is how messages call it. Nothing is killed after `seconds`."""
        future: Future[Any] = Future()
        self._queue.put((future, fn, args, kwargs, name))
        if len(self._threads) < self.workers and not self._idle.acquire(blocking=False):
            self._start_thread()
        if self._closed:  # by another thread, just now: nobody may come to this call any more
            future.cancel()
        return future

    def _start_thread(self) -> None:
        with self._lock:
            if len(self._threads) < self.workers and not self._closed:
                name = f"turgo-thread-{len(self._threads)}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _work(self) -> None:
        ident = threading.get_ident()
        interrupt = self._interrupts[ident] = Interrupt(None)
        try:
            with interrupt:
                self._execute_all(ident)
        except interrupt.kind as error:
            running = self._running.get(ident)
            if running is not None:
                _set(running[1], error=error)
        finally:
            self._running.pop(ident, None)

    def _execute_all(self, ident: int) -> None:
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

    def close(self) -> None:
        """Let what runs come to its end; what waits is cancelled."""
        self._shut()
        for thread in self._threads:
            thread.join()

    def stop(self, seconds: float) -> None:
        """Interrupt what runs and wait for at most `seconds`. Warns of calls that could not be stopped.

        A call that swallows the interrupt gets another one, until the time is up.
        """
        left = self._interrupt(seconds)
        if left:
            names = ", ".join(sorted(left))
            logger.warning(
                "threads cannot be killed: %d call(s) run on in the background: %s", len(left), names
            )

    def _end_with_program(self) -> None:
        """Nothing runs on after the end of the program, so there is nothing to warn of, or to stop once more."""
        self._interrupt(THREADS_EXIT_SECONDS)
        self._threads.clear()

    def _interrupt(self, seconds: float) -> list[str]:
        """Interrupt what runs, for at most `seconds`; the names of the calls that were given up.

        A process that was forked from the one whose threads these are has none of them.
        """
        if os.getpid() != self._owner:
            return []
        self._shut()
        deadline = time.monotonic() + seconds
        others = [thread for thread in self._threads if thread is not threading.current_thread()]
        while (left := deadline - time.monotonic()) > 0 and any(thread.is_alive() for thread in others):
            for thread in others:
                if thread.ident in self._running:
                    raise_in(thread, self._interrupts[thread.ident].kind)
            _join(others, min(left, REPEATED_INTERRUPT_SECONDS))
        return self._give_up()

    def _give_up(self) -> list[str]:
        """Nobody shall wait for what could not be stopped; its outcome is dropped."""
        left = list(self._running.values())
        self._running.clear()
        for name, future in left:
            _set(future, error=CancelledError(f"{name} could not be stopped, and was given up"))
        return [name for name, _ in left]

    def _shut(self) -> None:
        """Take no more; what waits is cancelled."""
        atexit.unregister(self._end_with_program)
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


def _join(threads: list[threading.Thread], seconds: float) -> None:
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


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
