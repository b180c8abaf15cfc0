"""Ctrl-C and SIGTERM that come while a local cluster starts: they are heard once it is up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A Ctrl-C that comes while a local cluster starts is heard once it is up, so that it can be closed as a whole.

    A terminal sends it to all of a process group. What is blocked here is blocked for good in the threads and processes
    that are started here, so the workers never see it: it is the driver that hears it, and that ends them.
    """
    with _put_off():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        resource_tracker.ensure_running()  # its start would unblock the signal again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _put_off() -> Iterator[None]:
    """Put off the first Ctrl-C or SIGTERM to the end: a cluster that has half started cannot be closed.

    Whatever is blocked here, another thread of the program may take the signal. SIGTERM is not blocked for the workers.
    """
    here = threading.current_thread() is threading.main_thread()
    handlers = {int(each): signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM) if here}
    heard: list[tuple[int, FrameType | None]] = []

    def keep(signum: int, frame: FrameType | None) -> None:
        heard.append((signum, frame))
        if len(heard) > 1:
            heeded[signum](signum, frame)

    heeded = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in heeded:
        signal.signal(number, keep)
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
        if heard:  # also if the start failed, as it does when a signal reaches the workers too
            heeded[heard[0][0]](*heard[0])
