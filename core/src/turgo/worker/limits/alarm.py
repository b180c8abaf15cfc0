"""An alarm raises inside a call whose time is up. It uses a signal in the main thread."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from turgo.worker.limits.interrupt import INTERRUPT_REPEAT_SECONDS, Expired, Interrupt

ALARM_REPEAT_SECONDS = 0.05
"""Seconds after which an alarm that could not be received rings again."""


def alarmed(call: Callable[[], Any], seconds: float) -> Any:
    """Call with an alarm. Once that rang the time is up, whatever the call makes of what was raised in it."""
    interrupt = Interrupt(seconds)
    value = None
    try:
        with alarm(seconds, interrupt.ring), interrupt:
            value = call()
    except BaseException as error:
        if not interrupt.raised:
            raise
        if isinstance(error, (KeyboardInterrupt, Expired)) and not isinstance(error, interrupt.kind):
            raise
    if interrupt.raised:
        raise Expired(seconds, propagates=False)
    return value


@contextmanager
def alarm(seconds: float, ring: Callable[[], None]) -> Iterator[None]:
    """Call `ring` in the main thread when the time is up: what it raises stops even a call that waits in C.

    It rings again until this is left: soon if it has returned, and after a while if it has raised. An alarm that was
    set further out still rings at its own time, and stays set afterwards.
    """
    outer = signal.getitimer(signal.ITIMER_REAL)[0]
    now = time.monotonic()
    end, outer_end = now + seconds, now + outer if outer else None

    def on_alarm(signum: int, frame: Any) -> None:
        nonlocal outer_end
        if outer_end is not None and callable(before) and time.monotonic() >= outer_end:
            outer_end = None
            before(signum, frame)
        if time.monotonic() >= end:
            # before it is raised, as nothing is done here after that
            signal.setitimer(signal.ITIMER_REAL, INTERRUPT_REPEAT_SECONDS)
            ring()
            again = time.monotonic() + ALARM_REPEAT_SECONDS
        else:
            again = end
        signal.setitimer(signal.ITIMER_REAL, _until(again, outer_end if callable(before) else None))

    before = signal.getsignal(signal.SIGALRM)
    try:  # around the setting, too: it may ring before the next line is reached
        signal.signal(signal.SIGALRM, on_alarm)
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
