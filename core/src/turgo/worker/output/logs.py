"""Keeps each log record with the call that made it. The driver's handlers receive it once.

    Logger.handle ──> Logger.callHandlers, replaced while batches run
                          ├─ of no call ──────────> the handlers, as ever, at the worker's own levels
                          ├─ the driver is here ──> kept with its call; the handlers
                          └─ the driver is away ──> kept, and sent at once; handlers that the task itself set up

A call is known by its context, so what it logs from an event loop, from the thread that a limit of time needs, or from
`asyncio.to_thread` is its own. A thread that a call starts counts as the call's for as long as the call runs. Every
record that a task makes says so to handlers: `record.task` is the task's name, `record.task_index` the element or None,
`record.task_title` both in words, with the input where the driver is.

The handlers of a worker process that were set up as a module was imported are copies of the driver's, which get the
record there: they are passed over, and those that are set up later in an import open no file.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

from turgo.worker.context import LOGGER, Position, running
from turgo.worker.once import OfThisProcess
from turgo.worker.output.levels import driver_levels, made_anyway
from turgo.worker.output.lines import Line, LineStream, fields_of, message_of_record
from turgo.worker.process import process_name

TASK_LOG_LINES = 1_000
"""How many lines of one task run are kept."""

TASK_LOG_CHARACTERS = 1 << 18
"""How many characters of one task run's lines are kept."""


class Capture:
    """Keeps what the calls of one batch log, in any thread, of each call so many lines and no more.

    away: whether the driver is another process; stream: what sends lines there while calls run, if anything does.
    """

    def __init__(self, batch: Any, stream: LineStream | None = None) -> None:
        self.batch: Any = batch
        self.name: str = batch.name
        self.away: bool = batch.crossed and batch.driver != process_name()
        self.stream = stream
        self.lines: list[Line] = []
        self._worker: str = batch.stamp[0] if batch.stamp else ""
        self._count = 0
        self._kept: dict[tuple[int, int | None], list[int]] = {}
        self._process = os.getpid()
        self._lock = threading.RLock()  # a signal's handler may log as well

    def record(self, position: Position, record: logging.LogRecord) -> None:
        """Keep a record of the call at `position`; at a position that is over, it is only counted."""
        text = message_of_record(record)
        fields = {**fields_of(record), "worker": self._worker} if self.away else None
        self.keep(position, record.name, record.levelno, text, record.created, fields)

    def keep(
        self, position: Position, logger: str, level: int, text: str, when: float, fields: Any = None
    ) -> None:
        """Keep a line with its call, unless that has logged enough, and send it, if there is a stream.

        Lines are sent in the order of their numbers: the driver takes one that comes behind its successor for known.
        """
        # A process that a call forked has none of the threads that may have had the lock.
        with self._lock if os.getpid() == self._process else nullcontext():
            self._count += 1
            line = Line(self._count, position.at, position.offset, logger, level, text, when, fields)
            kept = self._kept.setdefault((position.at, position.offset), [0, 0, 0])
            kept[0] += 1
            kept[1] += len(text)
            if kept[0] > TASK_LOG_LINES or kept[1] > TASK_LOG_CHARACTERS:
                kept[2] += 1
            elif position.at >= 0:
                self.lines.append(line)
            if self.stream is not None and self.stream.usable:
                self.stream.add(self.name, line)

    def handle(self, logger: logging.Logger, record: logging.LogRecord) -> None:
        """Give the record to those handlers here that are to have it; the driver's get the line."""
        usable = self.stream is None or self.stream.usable  # not in a process that the call forked
        if not self.away or not usable:
            _hooks().call_handlers(logger, record)
            return
        for handler in _handlers_of(logger):
            if record.levelno >= handler.level and not _is_passed_over(handler):
                handler.handle(record)

    def keep_printed(self, position: Position, logger: str, text: str) -> None:
        """Keep a line that was printed, and that no handler is to get."""
        self.keep(position, logger, logging.INFO, text, time.time(), {} if self.away else None)

    def finish(self) -> None:
        """Add to each call of which lines were left out how many they are."""
        for (at, offset), (_, _, more) in list(self._kept.items()):  # a thread of a call may still log
            if more and at >= 0:
                text = (
                    f"{more} more line(s): {TASK_LOG_LINES} lines, {TASK_LOG_CHARACTERS} characters are kept"
                )
                self.lines.append(Line(-1, at, offset, LOGGER, logging.WARNING, text, time.time(), None))
        if self.stream is not None:
            self.stream.flush()
        self.batch = None  # else the two would hold each other, with all values, until the collector comes


@contextmanager
def captured_logs(batch: Any, stream: LineStream | None = None) -> Iterator[Capture]:
    """Inside, the calls of the batch know what they are, and what they log is kept, at the levels of the driver."""
    batch.outer = running.get()
    capture = batch.logs = Capture(batch, stream)
    token = running.set(batch.where)
    try:
        with (
            _hooks().installed(worker=capture.away),
            driver_levels(batch.levels) if capture.away else nullcontext(),
        ):
            yield capture
    finally:
        running.reset(token)
        capture.finish()


def _call_position() -> Position | None:
    """The call that this thread runs, or that started this thread; it may be over. None if there is none."""
    where = running.get()
    return where() if where is not None else getattr(threading.current_thread(), "turgo_position", None)


def _is_over(position: Position, *, started_by: bool) -> bool:
    """Whether the call is over. started_by: whether this thread was started by it, and does not run it."""
    if not 0 <= position.at < len(position.batch.pieces):
        return True
    return started_by and (position.batch.logs.batch is None or position.batch.where() != position)


def _route(logger: logging.Logger, record: logging.LogRecord) -> None:
    """What `Logger.callHandlers` is while batches run."""
    position = _call_position()
    if position is None:
        if made_anyway(logger, record.levelno):  # the driver's levels are for calls, not for what runs them
            _hooks().call_handlers(logger, record)
        return
    if _is_over(position, started_by=running.get() is None):
        position = position._replace(at=-1, offset=None)
    elif "task" not in record.__dict__:
        name, index = position.label()
        title = position.batch.title_of(name, index, position.batch.pieces[position.at].step)
        record.__dict__.update(task=name, task_index=index, task_title=title)
    capture = position.batch.logs
    capture.record(position, record)
    while (
        position.batch.outer is not None
    ):  # the batch runs within a task of another run: it is that task's as well
        position = position.batch.outer()
        capture = position.batch.logs
        capture.record(position, record)
    capture.handle(logger, record)


def _handlers_of(logger: logging.Logger) -> Iterator[logging.Handler]:
    """The handlers that a record of this logger comes to."""
    here: logging.Logger | None = logger
    while here is not None:
        yield from here.handlers
        here = here.parent if here.propagate else None


def _is_passed_over(handler: logging.Handler) -> bool:
    """Whether the driver has the handler of which this one is a copy."""
    return getattr(handler, "turgo_passed_over", False)


def pass_over(handler: logging.Handler) -> None:
    """Let a handler of a worker process have no records of calls, as the driver's handlers get them."""
    handler.turgo_passed_over = True  # type: ignore[attr-defined]


_RUNNERS = ("turgo.worker.execute", "turgo.worker.mapped", "turgo.worker.call")
"""The modules that call the functions of tasks: what is below them on the stack is not the call's."""


def _original(function: Any) -> Any:
    """The function itself, where another version of this module has replaced it already."""
    return getattr(function, "turgo_original", function)


_call_handlers = _original(logging.Logger.callHandlers)
_start_thread = _original(threading.Thread.start)
_init_handler = _original(logging.Handler.__init__)
_open_file = _original(logging.FileHandler._open)


def _start(thread: threading.Thread) -> None:
    """What `Thread.start` is while batches run: notes which call starts the thread."""
    position = _call_position()
    if position is not None:
        thread.turgo_position = position  # type: ignore[attr-defined]
    _hooks().start_thread(thread)


def _init(handler: logging.Handler, *args: Any, **kwargs: Any) -> None:
    """What `Handler.__init__` is in a worker process: notes whether a module is being imported."""
    _init_handler(handler, *args, **kwargs)
    if _in_an_import(sys._getframe(1)):
        pass_over(handler)


def _open(handler: logging.FileHandler) -> Any:
    """What `FileHandler._open` is in a worker process: a module that is imported opens no file of the driver's."""
    if _in_an_import(sys._getframe(1)):
        return open(os.devnull, "w", encoding="utf-8")
    return _open_file(handler)


for _replacement, _function in (
    (_route, _call_handlers),
    (_start, _start_thread),
    (_init, _init_handler),
    (_open, _open_file),
):
    vars(_replacement)["turgo_original"] = _function


def _in_an_import(frame: FrameType | None) -> bool:
    """Whether the body of a module runs, other than that of the program itself."""
    while frame is not None:
        if frame.f_globals.get("__name__") in _RUNNERS:
            return False
        if frame.f_code.co_name == "<module>" and frame.f_globals.get("__name__") != "__main__":
            return True
        frame = frame.f_back
    return False


class _Hooks:
    """Replaces what is to be replaced in `logging` and `threading` while batches run in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._worker = False
        self._kept = False
        self.call_handlers: Any = _call_handlers
        self.start_thread: Any = _start_thread

    @contextmanager
    def installed(self, *, worker: bool) -> Iterator[None]:
        """worker: whether this is a worker process, where copies of the driver's handlers are passed over."""
        with self._lock:
            if worker and not self._kept:
                self.install_for_worker()
                self._kept = True
                self._users += 1  # for good: threads of calls that are over log as well
            self._users += 1
            if logging.Logger.callHandlers is not _route:
                # as they are now: the user may have replaced them since this was imported
                self.call_handlers = _original(logging.Logger.callHandlers)
                self.start_thread = _original(threading.Thread.start)
                logging.Logger.callHandlers = _route  # type: ignore[method-assign, assignment]
                threading.Thread.start = _start  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    logging.Logger.callHandlers = self.call_handlers  # type: ignore[method-assign]
                    threading.Thread.start = self.start_thread  # type: ignore[method-assign]

    def install_for_worker(self) -> None:
        """For the life of the process: what is imported here sets up no second copy of a handler."""
        if self._worker:
            return
        self._worker = True
        if "__mp_main__" in sys.modules:  # the program was imported before this could be seen
            loggers = [logging.root, *logging.root.manager.loggerDict.values()]
            for logger in loggers:
                for handler in getattr(logger, "handlers", ()):
                    pass_over(handler)
        logging.Handler.__init__ = _init  # type: ignore[method-assign, assignment]
        logging.FileHandler._open = _open  # type: ignore[method-assign, assignment]


@OfThisProcess
def _hooks() -> _Hooks:
    """Loggers are the process's, so there is one of it for each process."""
    return _Hooks()


def guard_imports() -> None:
    """In a worker process, before anything of the user's is imported: handlers that an import sets up are copies."""
    _hooks().install_for_worker()
