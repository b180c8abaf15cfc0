"""Handles Ctrl-C, SIGTERM and the end of the terminal. The first cancels the run, the second ends the process.

It also leaves by itself when cleaning up takes too long, which it does where a thread cannot be stopped: an
executor that waits for its running calls may wait for hours.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from turgo.cli import INTERRUPTED
from turgo.cli.terminal.output import finish, show_error
from turgo.observers import screen

LEAVE_AFTER_SECONDS = 4.5
"""Seconds from the first signal until what still runs is left behind."""

DISPLAY_SECONDS = 1.0
"""Seconds that the bars may take to go, when the process leaves at once."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, the first SIGINT, SIGTERM or SIGHUP raises KeyboardInterrupt; a second one, or time, ends the process.

    SIGHUP is what a terminal sends as it goes away; `nohup` has it ignored, and so it stays.
    """
    interruption = _Interruption()
    heard = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        heard.append(signal.SIGHUP)
    before = {number: signal.signal(number, interruption.receive) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        interruption.over()


class _Interruption:
    def __init__(self) -> None:
        self.timer: threading.Timer | None = None

    def receive(self, signum: int, frame: FrameType | None) -> NoReturn:
        if self.timer is not None:
            leave()
        self.timer = threading.Timer(LEAVE_AFTER_SECONDS, leave)
        self.timer.daemon = True
        self.timer.start()
        raise KeyboardInterrupt

    def over(self) -> None:
        """All is cleaned up, save perhaps threads that Python would wait for at its end."""
        if self.timer is None:
            return
        self.timer.cancel()
        main = threading.main_thread()
        if any(each is not main and each.is_alive() and not each.daemon for each in threading.enumerate()):
            leave()


def leave() -> NoReturn:
    """End the process now, with the processes that it started; calls in threads end with it."""
    try:
        screen.leave(DISPLAY_SECONDS)
        show_error("interrupted; what could not be stopped was left behind", label="")
        multiprocessing = sys.modules.get("multiprocessing")
        if multiprocessing is not None:
            for child in multiprocessing.active_children():
                with suppress(OSError, ValueError):
                    child.kill()
        finish()
    finally:
        os._exit(INTERRUPTED)
