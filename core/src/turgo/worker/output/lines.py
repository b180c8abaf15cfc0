"""Log lines on their way to the driver. Says what a record becomes, and which stream sends it while calls run.

    Logger ──record──> logs ──Line──> LineStream ──bunches──> send ──> the driver: turgo.engine.log_book
                              └─────> the report of the batch: what is kept, in case the stream loses it

The first line is sent at once, those that follow within a tenth of a second, in bunches. A call that logs faster than
the stream may send waits: a flood slows the task that makes it, and nobody else.

A batch that was lost with a worker before also says by this way which of its calls begins, before it does.
"""

from __future__ import annotations

import logging
import marshal
import os
import pickle
import struct
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

FLUSH_SECONDS = 0.1

BUNCH_LINES = 2_000
"""How many lines of a process are sent in each FLUSH_SECONDS, at most; calls that log more wait."""

LINE_CHARACTERS = 1 << 16
"""How many characters of a line are sent while calls run. The one that is kept with its call is whole."""

Send = Callable[[bytes], None]

HEAD = struct.Struct("!I")
"""How many lines a bunch has; before its pickle, so that those of a bunch that is dropped can be counted."""

NO_LINES = HEAD.pack(0)
"""The head of what says that a call begins."""

SURELY = "surely"
"""An attribute of what sends bytes to the driver: sends them so that they arrive even if the process ends at once.

Where it is missing, what is sent arrives in any case.
"""


class Line(NamedTuple):
    """What is known of one record.

    number: among the lines of its batch; -1 for one that is not logged but only kept. at, offset: the call, as in
    `Position`; at is -1 if the call was over. time: seconds since the epoch. fields: the other attributes of the record
    for a driver elsewhere; None if its handlers are here and have had the record itself.
    """

    number: int
    at: int
    offset: int | None
    logger: str
    level: int
    text: str
    time: float
    fields: Mapping[str, Any] | None


_OWN_FIELDS = {"name", "msg", "args", "levelname", "levelno", "created", "msecs", "exc_info", "task_title"}
"""The attributes of a record that a Line has besides, or that mean nothing in another process."""


def message_of_record(record: logging.LogRecord) -> str:
    """The text; unformatted if its arguments do not fit it, as a mistake in a log line is to stop no task."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001  (it runs the user's `__str__`)
        return str(record.msg)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The attributes of a record that another process can be given: a traceback as text, `extra` as text."""
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    own = record.__dict__.items()
    return {name: _portable(value) for name, value in own if name not in _OWN_FIELDS and value is not None}


def _portable(value: Any) -> Any:
    """A value of builtins alone as it is, as the driver may not know any other class; else its text."""
    try:
        marshal.dumps(value)
    except ValueError:
        try:
            return repr(value)
        except Exception as error:  # noqa: BLE001  (the user's `__repr__`)
            return f"<{type(value).__name__}, whose repr failed: {type(error).__name__}>"
    return value


class LineStream:
    """Sends the lines of this process. send: takes a bunch to the driver, from any thread, and may block."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self._process = os.getpid()
        self._lines: list[tuple[str, Line]] = []
        self._changed = threading.Condition()  # its lock is reentrant: a signal's handler may log as well
        self._flusher: threading.Thread | None = None
        self._sent = 0.0
        self._broken = False

    @property
    def usable(self) -> bool:
        """Whether it still sends: not in a process that was forked from the one that it is of, nor if that failed."""
        return not self._broken and self._process == os.getpid()

    def add(self, batch: str, line: Line) -> None:
        """Send a line soon; waits while there is no room. batch: the name of its batch."""
        if len(line.text) > LINE_CHARACTERS:
            line = line._replace(text=f"{line.text[:LINE_CHARACTERS]}…")
        with self._changed:
            while len(self._lines) >= BUNCH_LINES and self.usable:
                self._changed.wait(FLUSH_SECONDS)
            self._lines.append((batch, line))
            if time.monotonic() - self._sent >= FLUSH_SECONDS:
                self._flush()
            elif self._flusher is None:
                self._flusher = threading.Thread(target=self._run, name="turgo-lines", daemon=True)
                self._flusher.start()

    def flush(self) -> None:
        """Send what waits now: the batch that it is of is over."""
        if self._lines and self.usable:
            with self._changed:
                self._flush()

    def _run(self) -> None:
        """Send what waits, as long as there is anything."""
        while True:
            time.sleep(FLUSH_SECONDS)
            with self._changed:
                if not self._lines:
                    self._flusher = None
                    return
                self._flush()

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        self._sent = time.monotonic()
        if lines and self.usable:
            try:
                self.send(
                    HEAD.pack(len(lines)) + pickle.dumps([(batch, tuple(line)) for batch, line in lines])
                )
            except Exception:  # noqa: BLE001  (the driver is gone, and this process about to go)
                self._broken = True
        self._changed.notify_all()


@lru_cache(maxsize=8)
def stream_to(channel: bytes) -> LineStream:
    """The stream of this process to a driver. channel: a pickle of what sends bytes there."""
    return LineStream(pickle.loads(channel))


def telling(batch: Any, call: Callable[..., Any], send: Send) -> Callable[..., Any]:
    """`call`, which tells the driver first that it begins, as it may be the one that ends its worker."""
    surely = getattr(send, SURELY, send)

    def told(*args: Any, **kwargs: Any) -> Any:
        _, at, offset = batch.where()
        with suppress(Exception):  # the driver is gone
            surely(NO_LINES + pickle.dumps((batch.name, at, offset)))
        return call(*args, **kwargs)

    return told


def is_begin(bunch: bytes) -> bool:
    """Whether it says that a call begins, and holds no lines."""
    return bunch[: HEAD.size] == NO_LINES


def place_of(bunch: bytes) -> tuple[str, int, int | None]:
    """Which call begins: the name of its batch, the number of its piece, and the element."""
    name, at, offset = pickle.loads(memoryview(bunch)[HEAD.size :])
    return name, at, offset
