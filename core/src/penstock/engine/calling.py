"""How the function of a task is called on a worker: on an event loop, with a limit of time, or simply so.

Needs nothing but the standard library; see `work`.
"""

from __future__ import annotations

import contextvars
import ctypes
import inspect
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any, NoReturn

Call = Callable[..., Any]


class Expired(BaseException):
    """Raised inside a call whose time is up. No Exception, so that `except Exception` in a task lets it through."""


def prepare(fn: Call, timeout: float | None) -> Call:
    """`fn` as it is to be called: an async one runs to its end, one with a timeout (seconds) is stopped by then."""
    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None)):  # noqa: B004
        fn = _on_a_loop(fn)
    return fn if timeout is None else _limited(fn, timeout)


def _on_a_loop(fn: Call) -> Call:
    import asyncio  # 15 ms, and few tasks are async

    @wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(fn(*args, **kwargs))
        return _in_thread(lambda: asyncio.run(fn(*args, **kwargs)), None)

    return call


def _limited(fn: Call, seconds: float) -> Call:
    @wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            with _alarm(seconds):
                return fn(*args, **kwargs)
        return _in_thread(partial(fn, *args, **kwargs), seconds)

    return call


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise Expired in the main thread when the time is up: stops even a call that never returns to Python's loop."""

    def ring(signum: int, frame: Any) -> NoReturn:
        raise Expired(seconds)

    before = signal.signal(signal.SIGALRM, ring)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    started = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - started), 1e-6))


def caller() -> int:
    """The thread that runs the batch: this one, or the one that this one calls for."""
    return getattr(threading.current_thread(), "calls_for", 0) or threading.get_ident()


class _CallThread(threading.Thread):
    """A thread that makes a call for another one; what it logs counts as that one's."""

    calls_for = 0


def _in_thread(call: Callable[[], Any], seconds: float | None) -> Any:
    """Call in a thread of its own and wait for `seconds`; a call that takes longer is asked to stop and left."""
    outcome: list[tuple[bool, Any]] = []
    context = contextvars.copy_context()

    def body() -> None:
        try:
            outcome.append((True, context.run(call)))
        except BaseException as error:
            outcome.append((False, error))

    thread = _CallThread(target=body, name=f"{threading.current_thread().name}-call", daemon=True)
    thread.calls_for = caller()
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Expired)
        )
        raise Expired(seconds)
    succeeded, value = outcome[0]
    if not succeeded:
        raise value
    return value
