"""What the calls of a batch log. Needs nothing but the standard library; see `work`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.engine.calling import caller


class _Capture(logging.Handler):
    """Keeps the records of this thread, and of those that make calls for it, with the call that they belong to."""

    def __init__(self, batch: Any) -> None:
        super().__init__()
        self.batch = batch
        self.thread = caller()
        self.speaks = not batch.crossed and not any(
            isinstance(other, _Capture) and other.thread == self.thread
            for other in logging.getLogger().handlers
        )  # a flow that is run by a task has two captures on the thread: the outer one speaks
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
                _message(record),
                record.created,
                batch.crossed,
            )
        )
        last = logging.lastResort
        if self.speaks and last and record.levelno >= last.level and _unheard(record):
            last.handle(record)


def _message(record: logging.LogRecord) -> str:
    """The text; unformatted if its arguments do not fit it, as a mistake in a log line is to stop no task."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  (it runs the user's `__str__`)
        return str(record.msg)


def _unheard(record: logging.LogRecord) -> bool:
    """Whether no handler but ours gets the record, so that Python's handler of last resort is to speak."""
    logger: logging.Logger | None = logging.getLogger(record.name)
    while logger is not None:
        if not all(isinstance(handler, _Capture) for handler in logger.handlers):
            return False
        logger = logger.parent
    return True


@contextmanager
def captured_logs(batch: Any) -> Iterator[_Capture]:
    """Capture what is logged. Our handler must not silence Python's handler of last resort where that would speak."""
    root = logging.getLogger()
    handler = _Capture(batch)
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
