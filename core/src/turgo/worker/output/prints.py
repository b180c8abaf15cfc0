"""Makes lines of a task's log of what it prints: `@task(log_prints=True)`.

While such a task runs, `sys.stdout` is replaced by one that looks whose context it is written in: what other tasks and
other threads print is printed. Where the level INFO is off, a line is printed as well, and kept with what the task
logged: so it is seen once, and never lost.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from types import FrameType
from typing import Any

from turgo.worker.context import running
from turgo.worker.once import OfThisProcess

_TO_CALLER = 4
"""How many frames the one that prints is above that of `Logger.info`."""


def printing_to_log(fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn`, with what it prints as lines of its log."""

    @wraps(fn, assigned=("__name__", "__qualname__"), updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        with _stdout().replaced() as beneath:
            lines = _Lines(beneath)
            token = _printing.set(lines)
            try:
                return fn(*args, **kwargs)
            finally:
                lines.finish()
                _printing.reset(token)

    return call


class _Lines:
    """What one call prints, in any thread that has its context, put together to lines."""

    def __init__(self, beneath: Any) -> None:
        self.beneath = beneath
        self.begun = ""
        self._lock = threading.RLock()  # a signal's handler may print as well

    def add(self, text: str) -> None:
        with self._lock:
            *whole, self.begun = (self.begun + text).split("\n")
        for line in whole:
            self._log(line)

    def finish(self) -> None:
        if self.begun:
            self._log(self.begun)
        self.begun = ""

    def _log(self, line: str) -> None:
        where = running.get()
        if where is None:  # the function was called outside of a run
            self._write(line)
            return
        position = where()
        logger = position.task_context().logger
        if logger.isEnabledFor(logging.INFO):
            logger.info(line, stacklevel=_TO_CALLER)
        else:
            position.batch.logs.keep_printed(position, logger.name, line)
            self._write(line)

    def _write(self, line: str) -> None:
        if self.beneath is not None:  # Python has None where the stream was closed before it began
            self.beneath.write(f"{line}\n")


_printing: ContextVar[_Lines | None] = ContextVar("turgo_printing", default=None)


class _Stdout:
    """What stands in for `sys.stdout`."""

    def __init__(self, beneath: Any) -> None:
        self._beneath = beneath

    def write(self, text: str) -> int:
        lines = _printing.get()
        if lines is not None and not _within_a_handler(sys._getframe(1)):
            lines.add(text)
        elif self._beneath is not None:
            return self._beneath.write(text)  # type: ignore[no-any-return]
        return len(text)

    def flush(self) -> None:
        if self._beneath is not None:
            self._beneath.flush()

    def writelines(self, texts: Any) -> None:
        for text in texts:
            self.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._beneath, name)


def _within_a_handler(frame: FrameType | None) -> bool:
    """Whether it is a handler of logging that writes, so that what it writes was logged already."""
    while frame is not None:
        if frame.f_code is logging.Handler.handle.__code__:
            return True
        frame = frame.f_back
    return False


class _Replacing:
    """Counts who needs `sys.stdout` to be replaced."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0

    @contextmanager
    def replaced(self) -> Iterator[Any]:
        """Gives what is beneath it."""
        with self._lock:
            self._users += 1
            if not isinstance(sys.stdout, _Stdout):
                sys.stdout = _Stdout(sys.stdout)
            beneath = sys.stdout._beneath
        try:
            yield beneath
        finally:
            with self._lock:
                self._users -= 1
                if not self._users and isinstance(sys.stdout, _Stdout):
                    sys.stdout = sys.stdout._beneath


@OfThisProcess
def _stdout() -> _Replacing:
    """`sys.stdout` is the process's, so there is one of it for each process."""
    return _Replacing()
