"""What the calls of a batch log, kept with the call that logged it. Needs nothing but the standard library; see `work`.

A call is known by its context, so what it logs from an event loop, from the thread that a limit of time needs, or from
`asyncio.to_thread` is its own, and what other threads log meanwhile is not. Every record that a task makes says so to
the handlers of the root logger: `record.task` is the task's name, `record.task_index` the element or None.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock.context import LOGGER, Position, running
from penstock.engine.levels import levels_as_at_home

LINES = 1_000
"""How many lines of one task run are kept."""

CHARACTERS = 1 << 18
"""How many characters of one task run's lines are kept."""

Line = tuple[int, int | None, str, int, str, float, bool]
"""Piece and element, logger, level, text, seconds since the epoch, and whether it was logged in another process."""

_LOCK: Any = vars(logging).get("_lock") or threading.RLock()
"""That of logging itself, which has no public name."""


class Capture(logging.Handler):
    """Keeps the records of one batch, of each call so many and no more."""

    def __init__(self, batch: Any) -> None:
        super().__init__()
        self.batch: Any = batch
        self.crossed = batch.crossed
        self.speaks = not batch.crossed and batch.outer is None
        self.lines: list[Line] = []
        self._kept: dict[tuple[int, int | None], list[int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, if it is of a task that runs in this batch."""
        where = running.get()
        if where is None:
            return
        position = where()
        if "task" not in record.__dict__:
            context = position.told()
            record.__dict__.update(task=context.task, task_index=context.index)
        mine = self._within(position)
        if mine is None:
            return
        self.keep(mine, record.name, record.levelno, _message(record), record.created)
        last = logging.lastResort
        if self.speaks and last and record.levelno >= last.level and _unheard(record):
            last.handle(record)

    def _within(self, position: Position) -> Position | None:
        """The call of this batch that runs at `position`, or that runs the flow that does; None if it is elsewhere."""
        while position.batch is not self.batch:
            if position.batch.outer is None:
                return None
            position = position.batch.outer()
        return position

    def keep(self, position: Position, logger: str, level: int, text: str, when: float) -> None:
        """Keep a line with its call, unless that has said enough."""
        kept = self._kept.setdefault(position[1:], [0, 0, 0])
        kept[0] += 1
        kept[1] += len(text)
        if kept[0] > LINES or kept[1] > CHARACTERS:
            kept[2] += 1
        else:
            self.lines.append((*position[1:], logger, level, text, when, self.crossed))

    def finish(self) -> None:
        """Say of which calls lines were left out."""
        for (at, offset), (_, _, more) in self._kept.items():
            if more:
                text = (
                    f"{more} more line(s): {LINES} lines and {CHARACTERS} characters of a task run are kept"
                )
                self.lines.append((at, offset, LOGGER, logging.WARNING, text, time.time(), self.crossed))
        self.batch = None  # else the two would hold each other, with all values, until the collector comes


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
        if not all(isinstance(handler, Capture) for handler in logger.handlers):
            return False
        logger = logger.parent
    return True


@contextmanager
def captured_logs(batch: Any) -> Iterator[Capture]:
    """Inside, the calls of the batch know what they are, and what they log is kept, at the levels of the driver."""
    batch.outer = running.get()
    capture = batch.logs = Capture(batch)
    token = running.set(batch.where)
    try:
        with levels_as_at_home(batch.levels), _first_of_the_handlers(capture):
            yield capture
    finally:
        running.reset(token)
        capture.finish()


@contextmanager
def _first_of_the_handlers(handler: logging.Handler) -> Iterator[None]:
    """Ours comes first, as it tells the others whose record it is.

    The list is replaced and not changed: a thread that logs meanwhile goes through it, and must not lose its place.
    """
    root = logging.getLogger()
    with _LOCK:
        root.handlers = [handler, *root.handlers]
    try:
        yield
    finally:
        with _LOCK:
            root.handlers = [each for each in root.handlers if each is not handler]
