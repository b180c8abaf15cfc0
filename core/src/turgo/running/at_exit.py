"""Ends the runs that still go on when the interpreter ends: nobody is to look at them any more.

Their threads are daemons, so that no run keeps the interpreter alive, and would stop somewhere in between, with
processes and clusters open. So they are cancelled, and have some seconds to close what they have opened.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from functools import cache

from turgo.running.ended import Ended

EXIT_SECONDS = 5.0
"""Seconds that the end of the interpreter waits for runs, all together."""

_going: dict[Ended, Callable[[], None]] = {}  # what goes on in this process belongs to no object in it


def begin(ended: Ended, cancel: Callable[[], None]) -> None:
    """A run goes on from now on. cancel: ends it early."""
    _register()
    _going[ended] = cancel


def end(ended: Ended) -> None:
    """The run is over."""
    _going.pop(ended, None)


@cache
def _register() -> None:
    import concurrent.futures.thread  # noqa: F401  (its threads are waited for after ours, if it has registered before)

    # Before the threads of pools are waited for, which `atexit` comes after.
    register = getattr(threading, "_register_atexit", atexit.register)
    register(_end_all)


def _end_all() -> None:
    going = [(ended, cancel) for ended, cancel in list(_going.items()) if not ended.foreign]
    for _, cancel in going:
        cancel()
    until = time.monotonic() + EXIT_SECONDS
    for ended, _ in going:
        ended.wait(None, max(0.0, until - time.monotonic()))
