"""What happened to a cluster since its start. The log and the observers of a run receive it."""

from __future__ import annotations

import logging
from collections import deque

from turgo.executor import ExecutorEvent

logger = logging.getLogger("turgo_dask")

WARNING_KINDS = frozenset({"waiting", "versions_differ", "scheduler_lost", "crash_loop"})
"""Kinds of events that ask for action; they are logged as warnings, the others as news."""


class Events:
    """Records events, each logged at once; the latest are kept until they are taken."""

    def __init__(self) -> None:
        self._kept: deque[ExecutorEvent] = deque(maxlen=1000)

    def report(self, kind: str, message: str, *, worker: str | None = None, link: str | None = None) -> None:
        """Record an event."""
        level = logging.WARNING if kind in WARNING_KINDS else logging.INFO
        logger.log(level, "%s", message)
        self._kept.append(ExecutorEvent(kind, message, worker, link, logged=(logger.name, level)))

    def starting(self, line: str, urgent: bool) -> None:
        """Record a line about a start that is not over. urgent: whether somebody may have to act."""
        self.report("waiting" if urgent else "starting", line)

    def take(self) -> list[ExecutorEvent]:
        """The events since this was last called."""
        return [self._kept.popleft() for _ in range(len(self._kept))]
