"""Limits the time of a check. What blocks the main thread is interrupted by an exception.

    with deadline(60.0):        SIGALRM after 60 s ──> Overdue, raised wherever the thread waits
        check()                 again every few seconds, if leaving that place blocks as well

Where there is no SIGALRM, and outside the main thread, nothing is limited.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

AGAIN_SECONDS = 5.0
"""Seconds that leaving the place which blocked may take, before it is interrupted in turn."""


class Overdue(BaseException):
    """The time is up. No Exception, so that no executor takes it for the failure of a call."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise Overdue, which says where the main thread was, if the body takes longer."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise Overdue(f"it did not end within {seconds:g} s: it was {_place(frame)}")

    before = signal.signal(signal.SIGALRM, interrupt)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_SECONDS)
    try:
        yield
    finally:
        # First the timer, so that it does not fire between the two.
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's, as of a plugin of pytest
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _place(frame: FrameType | None) -> str:
    """Where the thread is, in the innermost frames that are not Python's own."""
    stack = [each for each in traceback.extract_stack(frame) if "/threading.py" not in each.filename]
    found = [f"in {each.name} ({each.filename}, line {each.lineno})" for each in stack[-2:]]
    return ", called ".join(reversed(found)) or "somewhere"
