"""Defers Ctrl-C and SIGTERM while a local cluster starts. Acts on them at the end of the program."""

from __future__ import annotations

import _thread
import atexit
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType

SIGNAL_GRACE_SECONDS = 1.5
"""Seconds from a signal until the start of a cluster that is not up is ended."""


@contextmanager
def sigint_blocked() -> Iterator[None]:
    """Block SIGINT in threads that are started inside, and in the processes that those threads start.

    A terminal sends it to all of a process group; but the driver handles it, and ends its workers.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    _ensure_tracker()  # its start would unblock the signal again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ensure_tracker() -> None:
    """Start this program's resource tracker, unless there is one.

    It outlives a driver that is killed, removes the semaphores of the nannies' queues, and would complain of them.
    """
    quiet = f"ignore::UserWarning:{resource_tracker.__name__}"
    sys.warnoptions.append(quiet)  # which it is started with
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.remove(quiet)


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Defer the first Ctrl-C or SIGTERM to the end, so that what is started inside can be closed as a whole.

    A second one is handled at once; so is the first if the end has not come SIGNAL_GRACE_SECONDS later.
    """
    here = threading.current_thread() is threading.main_thread()
    handlers = {int(each): signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM) if here}
    handled = {number: handler for number, handler in handlers.items() if callable(handler)}
    if not handled:
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    queued: queue.SimpleQueue[int | None] = queue.SimpleQueue()

    def keep(signum: int, frame: FrameType | None) -> None:
        received.append((signum, frame))
        queued.put(signum)
        if len(received) > 1:
            handled[signum](signum, frame)

    for number in handled:
        signal.signal(number, keep)
    threading.Thread(target=_repeat, args=(queued,), name="turgo-dask-start", daemon=True).start()
    try:
        yield
    finally:
        queued.put(None)
        for number, handler in handled.items():
            signal.signal(number, handler)
        if len(received) == 1:  # also if the start failed, as it does when a signal reaches the workers too
            handled[received[0][0]](*received[0])


@contextmanager
def at_exit(act: Callable[[], object], forked: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Act if the program ends inside: a block in another thread is not left before the end of the program.

    Distributed would close its own clusters then, and take longer. forked: what to do instead at the end of a process
    that was forked inside: what is open belongs to its parent, which goes on.
    """
    process = os.getpid()

    def end() -> None:
        (act if os.getpid() == process else forked)()

    atexit.register(end)
    try:
        yield
    finally:
        atexit.unregister(end)


def _repeat(queued: queue.SimpleQueue[int | None]) -> None:
    """Send the first deferred signal once more to the main thread, unless the queue gets another item in time."""
    signum = queued.get()
    if signum is None:
        return
    try:
        queued.get(timeout=SIGNAL_GRACE_SECONDS)
    except queue.Empty:
        ident = threading.main_thread().ident
        if ident is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(ident, signum)  # which ends a wait there
        else:
            _thread.interrupt_main(signal.Signals(signum))
