"""Finds the processes that a process has started, and ends them.

    root ── child ── grandchild          found by their parents, as long as those live
              └x── orphan                found by the session, if the root leads one

Read from /proc, so on Linux alone; elsewhere nothing is found. A process is known by its id and by when it started, as
ids are given again. Needs nothing but the standard library.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

_PARENT, _SESSION, _STARTED = 1, 3, 19
"""Where they stand in `/proc/<id>/stat`, after the name of the program."""

DEAD_STATES = "ZX"


class Relative(NamedTuple):
    """A process. started: in ticks of the clock since the machine came up."""

    pid: int
    parent: int
    session: int
    started: int


def relative(pid: int) -> Relative | None:
    """The process with that id, if it lives."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0].decode() in DEAD_STATES:
        return None
    return Relative(pid, int(fields[_PARENT]), int(fields[_SESSION]), int(fields[_STARTED]))


def descendants(root: int) -> list[Relative]:
    """All living processes below `root` or in the session that it leads; parents before their children."""
    by_parent: dict[int, list[Relative]] = {}
    found = []
    for each in _everyone():
        if each.session == root != each.pid:
            found.append(each)
        else:
            by_parent.setdefault(each.parent, []).append(each)
    found += by_parent.get(root, ())
    for each in found:  # which grows
        found += by_parent.get(each.pid, ())
    return found


def _everyone() -> Iterable[Relative]:
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and (each := relative(int(name))) is not None:
                yield each


def started_by_thread(thread: int | None) -> list[Relative]:
    """The living processes that a thread of this process has started, with those below them. thread: its native id.

    The one that frees this process's semaphores is nobody's: whoever needed one first has started it.
    """
    tracker = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    try:
        with open(f"/proc/self/task/{thread}/children") as file:
            children = [
                relative(pid) for pid in map(int, file.read().split()) if pid != getattr(tracker, "_pid", 0)
            ]
    except OSError:
        return []
    living = [child for child in children if child is not None]
    return living + [each for child in living for each in descendants(child.pid)]


def end_processes(processes: Iterable[Relative]) -> None:
    """Kill them."""
    send_signal(list(processes), signal.SIGKILL)


def send_signal(processes: Iterable[Relative], number: int) -> None:
    """Send a signal to those that still live."""
    for each in processes:
        now = relative(each.pid)
        if now is not None and now.started == each.started:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(each.pid, number)


def ticks_since_boot() -> int:
    """Now, as `started` counts."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))
