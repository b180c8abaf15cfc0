"""Keeps distributed's log lines about our sessions from the user's handlers.

A script that calls `logging.basicConfig(level=logging.INFO)` would print sixty lines of the scheduler, the nannies
and the client for each run. Levels belong to the whole process, so records are filtered instead, by the thread
that logs: the event loops of the session, and while its cluster starts each thread that is new.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distributed.utils import sync

LATE_LOGGERS = ("distributed.http.proxy",)
"""Loggers of modules that are imported only as a scheduler starts."""


class SessionFilter(logging.Filter):
    """Drops records below a level that threads of one session log. level: of the first record that is kept."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.level = level
        self._others: set[threading.Thread] | None = None
        self._ours: set[int | None] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept."""
        if record.levelno >= self.level:
            return True
        # By the thread itself: its ident may have been that of another one which has ended meanwhile.
        if self._others is not None and threading.current_thread() not in self._others:
            return False
        return record.thread not in self._ours

    @contextmanager
    def starting(self) -> Iterator[None]:
        """A cluster starts inside: each thread that is not there yet counts as one of the session."""
        self._others = set(threading.enumerate())
        try:
            yield
        finally:
            self._others = None

    def add_loop(self, loop: Any) -> None:
        """Count the thread of an event loop, if there is one, among those of the session."""
        if loop is not None:
            self._ours.add(sync(loop, _ident))


@contextmanager
def filtered(level: int) -> Iterator[SessionFilter]:
    """A filter of a session, on all loggers of distributed until the end of the block."""
    session_filter = SessionFilter(level)
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]
    loggers = [logging.getLogger(name) for name in (*names, *LATE_LOGGERS)]
    for logger in loggers:
        logger.addFilter(session_filter)
    try:
        yield session_filter
    finally:
        for logger in loggers:
            logger.removeFilter(session_filter)


async def _ident() -> int:
    return threading.get_ident()
