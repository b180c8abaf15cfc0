"""Ctrl-C and SIGTERM while a local cluster starts: heard once it is up, or after a while. Ends of the whole program."""

from __future__ import annotations

import _thread
import atexit
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType

PATIENCE = 1.5
"""Seconds from a signal until a cluster that is not up yet is given up."""


@contextmanager
def unheard() -> Iterator[None]:
    """Threads that are started inside never hear a Ctrl-C, nor do the processes that are started by those threads.

    A terminal sends it to all of a process group; but it is the driver that hears it, and that ends its workers.
    """
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
def put_off() -> Iterator[None]:
    """Put off the first Ctrl-C or SIGTERM to the end, so that what is started inside can be closed as a whole.

    A second one is heard at once; so is the first where the end has not come PATIENCE later.
    """
    here = threading.current_thread() is threading.main_thread()
    handlers = {int(each): signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM) if here}
    heeded = {number: handler for number, handler in handlers.items() if callable(handler)}
    if not heeded:
        yield
        return
    heard: list[tuple[int, FrameType | None]] = []
    told: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def keep(signum: int, frame: FrameType | None) -> None:
        heard.append((signum, frame))
        told.put(signum)
        if len(heard) > 1:
            heeded[signum](signum, frame)

    for number in heeded:
        signal.signal(number, keep)
    threading.Thread(target=_repeat, args=(told,), name="penstock-dask-start", daemon=True).start()
    try:
        yield
    finally:
        told.put(None)
        for number, handler in heeded.items():
            signal.signal(number, handler)
        if len(heard) == 1:  # also if the start failed, as it does when a signal reaches the workers too
            heeded[heard[0][0]](*heard[0])


@contextmanager
def at_exit(act: Callable[[], object]) -> Iterator[None]:
    """Act if the program ends inside: where that is in another thread, nobody leaves it before the end.

    Distributed would close what it knows of, and take its time.
    """
    atexit.register(act)
    try:
        yield
    finally:
        atexit.unregister(act)


def _repeat(told: queue.SimpleQueue[int | None]) -> None:
    """Send the main thread once more the first signal that it tells of, unless more comes within PATIENCE."""
    signum = told.get()
    if signum is None:
        return
    try:
        told.get(timeout=PATIENCE)
    except queue.Empty:
        ident = threading.main_thread().ident
        if ident is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(ident, signum)  # which ends a wait there
        else:
            _thread.interrupt_main(signal.Signals(signum))
