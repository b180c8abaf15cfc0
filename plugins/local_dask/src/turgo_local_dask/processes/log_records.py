"""Log records on their way from a worker process to the driver's loggers.

    worker: root logger ──> LogForwarder ──pipe──> driver: replay ──> logger of the same name ──> its handlers

A worker makes the records that the driver wants, by the driver's levels, and has no handlers of its own.
"""

from __future__ import annotations

import logging
import os
import pickle
import traceback
from collections.abc import Mapping

from turgo_local_dask.processes.pipe import Kind, Pipe

logger = logging.getLogger(__name__)


class LogForwarder(logging.Handler):
    """Sends every record to the driver, save those of a flow's calls, which the engine sends by its channel.

    In a process that a call forked, warnings go to standard error.
    """

    turgo_passed_over = True

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe
        self._owner = os.getpid()

    def emit(self, record: logging.LogRecord) -> None:
        """Send it, or what of it can be pickled."""
        if os.getpid() != self._owner:
            _last_resort(record)
            return
        try:
            self._pipe.send(Kind.LOG, payload=_portable(record))
        except OSError:
            return  # the driver is gone, and this process about to go
        except Exception:  # noqa: BLE001  (a message that cannot be formatted is logging's own affair)
            self.handleError(record)


def _last_resort(record: logging.LogRecord) -> None:
    handler = logging.lastResort
    if handler is not None and record.levelno >= handler.level:
        handler.handle(record)


def _portable(record: logging.LogRecord) -> bytes:
    """The record as the dict that `logging.makeLogRecord` takes: its message made, what cannot be pickled as text."""
    fields = dict(record.__dict__, msg=record.getMessage(), args=None, exc_info=None)
    if record.exc_info and not record.exc_text:
        fields["exc_text"] = logging.Formatter().formatException(record.exc_info)
    try:
        return pickle.dumps(fields)
    except Exception:  # noqa: BLE001  (`extra` may hold anything)
        plain = (int, float, str, type(None))
        return pickle.dumps({k: v if isinstance(v, plain) else repr(v) for k, v in fields.items()})


def forward_to(pipe: Pipe, levels: Mapping[str, int]) -> None:
    """Let all that is logged in this process go through the pipe, at these levels of loggers."""
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().addHandler(LogForwarder(pipe))


def drop_handlers() -> None:
    """Remove those of the script that was imported, or of the driver that was forked: they would say things twice."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)


def levels_here() -> dict[str, int]:
    """The levels of the loggers here, so that a worker makes the records that are wanted and no others."""
    loggers = {"": logging.getLogger(), **logging.Logger.manager.loggerDict}
    levels = {name: getattr(logger, "level", 0) for name, logger in loggers.items()}  # some are placeholders
    return {name: level for name, level in levels.items() if level}


def replay(payload: bytearray) -> None:
    """Log a record of a worker as if it had been logged here. What fails in that does not reach the call."""
    try:
        record = logging.makeLogRecord(pickle.loads(payload))
        wanted = logging.getLogger(record.name).isEnabledFor(record.levelno)
    except Exception as error:  # noqa: BLE001  (`extra` is the user's, whose unpickling may raise anything)
        logger.warning("a log record of a worker process is lost, as it cannot be read here: %s", error)
        return
    try:
        if wanted:
            logging.getLogger(record.name).handle(record)
    except Exception:  # noqa: BLE001  (filters are the user's)
        traceback.print_exc()  # as logging does
