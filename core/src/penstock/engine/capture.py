"""What the calls of a batch log. Needs nothing but the standard library; see `work`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.engine.calling import caller


class _Capture(logging.Handler):
    """Keeps the records of this thread, and of those that make calls for it, with the call that they belong to."""

    def __init__(self, batch: Any, speaks: bool) -> None:
        super().__init__()
        self.batch = batch
        self.speaks = speaks
        self.thread = caller()
        self.lines: list[tuple[int, int | None, str, int, str, float, bool]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if caller() != self.thread:
            return
        batch = self.batch
        self.lines.append(
            (
                len(batch.outcomes),
                None if batch.current is None else len(batch.current),
                record.name,
                record.levelno,
                record.getMessage(),
                record.created,
                batch.crossed,
            )
        )
        if self.speaks and logging.lastResort and record.levelno >= logging.lastResort.level:
            logging.lastResort.handle(record)


@contextmanager
def captured_logs(batch: Any) -> Iterator[_Capture]:
    """Capture what is logged. Our handler must not silence Python's handler of last resort where that would speak."""
    root = logging.getLogger()
    handler = _Capture(batch, speaks=not root.handlers and not batch.crossed)
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
