"""Watches how much memory this process and those below it hold. Read from /proc, so on Linux alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from turgo.worker.limits.descendants import descendants

LOOK_EVERY_SECONDS = 0.1


class Memory:
    """The most that was seen. peak_bytes: of all processes together, at one moment; 0 if it cannot be seen."""

    def __init__(self) -> None:
        self.peak_bytes = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside, a thread looks ten times a second."""
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,), name="turgo-memory", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, over: threading.Event) -> None:
        self.look()
        while not over.wait(LOOK_EVERY_SECONDS):
            self.look()
        self.look()

    def look(self) -> None:
        """Look now."""
        own = os.getpid()
        held = sum(_resident_bytes(pid) for pid in (own, *(each.pid for each in descendants(own))))
        self.peak_bytes = max(self.peak_bytes, held)


def _resident_bytes(pid: int) -> int:
    """What a process holds in memory; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0
