"""A logging handler that keeps one logger's records in the driver's process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class CapturedLogs(logging.Handler):
    """A handler of the logger `name` that keeps each message and level."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.messages: list[str] = []
        self.levels: list[int] = []

    @classmethod
    @contextmanager
    def of(cls, name: str) -> Iterator[CapturedLogs]:
        """Capture from that logger within the context."""
        captured, logger = cls(name), logging.getLogger(name)
        logger.addHandler(captured)
        try:
            yield captured
        finally:
            logger.removeHandler(captured)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep its message and its level."""
        self.messages.append(record.getMessage())
        self.levels.append(record.levelno)
