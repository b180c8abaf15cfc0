"""Hearing what is logged in the driver's process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class Heard(logging.Handler):
    """A handler of the logger `name` that keeps what it hears."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.messages: list[str] = []
        self.levels: list[int] = []

    @classmethod
    @contextmanager
    def listening(cls, name: str) -> Iterator[Heard]:
        """Listens to that logger."""
        heard, logger = cls(name), logging.getLogger(name)
        logger.addHandler(heard)
        try:
            yield heard
        finally:
            logger.removeHandler(heard)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep its message and its level."""
        self.messages.append(record.getMessage())
        self.levels.append(record.levelno)
