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

from penstock.context import running
from penstock.engine.printing import printing_to_log

Call = Callable[..., Any]

UNTIL_KILLED = 30.0
"""Seconds that a call whose time is up is waited for, where the executor is about to kill it."""

AGAIN = 0.05
"""Seconds after which an alarm that was not heeded rings again."""


class Expired(BaseException):
    """Raised inside a call whose time is up. No Exception, so that `except Exception` in a task lets it through.

    goes_on: whether it is still on its way out of the call whose time it was, and ends what that runs: a flow, too.
    """

    def __init__(self, seconds: float | None = None, goes_on: bool = True) -> None:
        super().__init__(seconds)
        self.goes_on = goes_on


def prepare(fn: Call, timeout: float | None, log_prints: bool = False) -> Call:
    """`fn` as it is to be called: an async one runs to its end, one with a timeout (seconds) is stopped by then.

    log_prints: whether what it prints becomes lines of its log.
    """
    if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(getattr(fn, "__call__", None)):  # noqa: B004
        fn = _on_a_loop(fn)
    if log_prints:
        fn = printing_to_log(fn)
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
        if can_be_alarmed():
            return _alarmed(partial(fn, *args, **kwargs), seconds)
        return _in_thread(partial(fn, *args, **kwargs), seconds)

    return call


def _alarmed(call: Callable[[], Any], seconds: float) -> Any:
    """Call with an alarm. Once that rang the time is up, whatever the call makes of what was raised in it."""
    mine = Expired(seconds)
    rung = False

    def ring() -> NoReturn:
        nonlocal rung
        rung = True
        raise mine

    value = None
    try:
        with alarm(seconds, ring):
            value = call()
    except BaseException as error:
        if not rung or (error is not mine and isinstance(error, (KeyboardInterrupt, Expired))):
            raise
    if rung:
        raise Expired(seconds, goes_on=False)
    return value


@contextmanager
def alarm(seconds: float, ring: Callable[[], None]) -> Iterator[None]:
    """Call `ring` in the main thread when the time is up: what it raises stops even a call that waits in C.

    If it returns, it rings again soon. An alarm that was set further out rings at its own time all the same, and goes
    on afterwards.
    """
    outer = signal.getitimer(signal.ITIMER_REAL)[0]
    now = time.monotonic()
    end, outer_end = now + seconds, now + outer if outer else None

    def hear(signum: int, frame: Any) -> None:
        nonlocal outer_end
        if outer_end is not None and callable(before) and time.monotonic() >= outer_end:
            outer_end = None
            before(signum, frame)
        if time.monotonic() >= end:
            ring()
            again = time.monotonic() + AGAIN
        else:
            again = end
        signal.setitimer(signal.ITIMER_REAL, _until(again, outer_end if callable(before) else None))

    before = signal.getsignal(signal.SIGALRM)
    try:  # around the setting, too: it may ring before the next line is reached
        signal.signal(signal.SIGALRM, hear)
        signal.setitimer(signal.ITIMER_REAL, _until(end, outer_end if callable(before) else None))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer_end is not None:
            signal.setitimer(signal.ITIMER_REAL, _until(outer_end))


def _until(end: float, other: float | None = None) -> float:
    """Seconds until the first of them; never none, which would mean no alarm."""
    return max((end if other is None else min(end, other)) - time.monotonic(), 1e-6)


def can_be_alarmed() -> bool:
    """Whether a signal can stop what runs in this thread: in the main thread, on POSIX."""
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()


def _own_context() -> tuple[contextvars.Context, bool]:
    """A context for a call that may be left behind, and whether the executor kills it if it does not stop.

    In it the call stays the call that it is, whichever one runs here meanwhile.
    """
    context, where = contextvars.copy_context(), running.get()
    if where is None:
        return context, False
    here = where()
    context.run(running.set, lambda: here)
    return context, here.batch.killed_if_late


def _in_thread(call: Callable[[], Any], seconds: float | None) -> Any:
    """Call in a thread of its own and wait for `seconds`; a call that takes longer is asked to stop and left.

    Where the executor kills a call that does not stop, it is not left: this thread stays with it until then.
    """
    outcome: list[tuple[bool, Any]] = []
    context, killed = _own_context()

    def body() -> None:
        try:
            outcome.append((True, context.run(call)))
        except BaseException as error:
            outcome.append((False, error))

    thread = threading.Thread(target=body, name=f"{threading.current_thread().name}-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Expired)
        )
        if killed:
            thread.join(UNTIL_KILLED)
        raise Expired(seconds, goes_on=False)
    succeeded, value = outcome[0]
    if not succeeded:
        raise value
    return value
