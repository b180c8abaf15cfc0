"""What runs in a worker process: how it is set up, and how a call comes in and its outcome goes back.

Everything crosses by cloudpickle, so functions and classes of a script, lambdas and closures travel by value.
What is logged here, by calls or by anything else, goes to the driver, whose loggers decide what becomes of it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping
from multiprocessing import connection, parent_process
from typing import Any

from dask.multiprocessing import initialize_worker_process

from penstock.errors import ValueNotPortableError
from penstock_local_dask import pipe as messages
from penstock_local_dask.pipe import Pipe, packed, unpacked

_PR_SET_PDEATHSIG = 1


def main(end: socket.socket, initializer: bytes, levels: Mapping[str, int]) -> None:
    """The life of a worker process: set it up, make one call after the other, end when the pipe does.

    initializer: a pickled function or None, called after dask's own; levels: of loggers, as the driver has them.
    """
    _end_with_the_driver()
    signal.signal(signal.SIGINT, _leave_to_driver)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    pipe = Pipe(end)
    root = logging.getLogger()
    for handler in root.handlers[:]:  # of the script that was imported, or of the driver that was forked:
        root.removeHandler(handler)  # everything would be told twice
    try:
        initialize_worker_process(pickle.loads(initializer))
    except BaseException as error:  # noqa: BLE001  (the user's code; told to the driver)
        pipe.send(messages.FAILURE, *_failure(error))
        return
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root.addHandler(_Forward(pipe))
    pipe.send(messages.READY)
    while True:
        try:
            _, payload, buffers = pipe.receive()
        except (EOFError, OSError):
            return
        pipe.send(*_call(pipe, payload, buffers))
        del payload, buffers  # a worker that waits keeps nothing alive


def _leave_to_driver(signum: int, frame: Any) -> None:
    """Ctrl-C reaches all processes of a terminal, and the driver ends this one. (SIG_IGN would be inherited.)"""


def _call(pipe: Pipe, payload: bytearray, buffers: list[bytearray]) -> tuple[int, bytes, list[memoryview]]:
    """Make the call that came, and give the message that is its outcome."""
    try:
        limited, fn, args, kwargs = unpacked(payload, buffers)
        if limited:
            pipe.send(messages.BEGUN)  # what it took to start and to import does not count
        value = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  (the error is handed on, as the future's)
        return (messages.FAILURE, *_failure(error))
    try:
        return (messages.VALUE, *packed(value))
    except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
        told = ValueNotPortableError(f"the result, a {type(value).__name__}, cannot be pickled: {error}")
        return (messages.FAILURE, *_failure(told))


def _failure(error: BaseException) -> tuple[bytes, list[memoryview]]:
    """The error in a form that is known to unpickle, or a stand-in with its text; with its traceback as text."""
    text = "".join(traceback.format_exception(error))
    try:
        payload, buffers = packed((error, text))
        unpacked(payload, buffers)
    except Exception as why:  # noqa: BLE001  (pickling runs the user's code)
        stand_in = ValueNotPortableError(
            f"{type(error).__name__}: {_message(error)} (the error itself cannot be pickled: {why})"
        )
        return packed((stand_in, text))
    return payload, buffers


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as odd:  # noqa: BLE001  (the user's code)
        return f"<its message cannot be shown: {type(odd).__name__}>"


class _Forward(logging.Handler):
    """Sends every record to the driver."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._pipe.send(messages.LOG, _portable(record))
        except OSError:
            return  # the driver is gone, and this process about to go
        except Exception:  # noqa: BLE001  (a message that cannot be formatted is logging's own affair)
            self.handleError(record)


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


def _end_with_the_driver() -> None:
    """A driver that is killed takes its processes with it.

    On Linux the kernel sees to it, whatever this process does at that moment. Elsewhere, and where a process was made
    by a fork server, it is a thread that waits for the end of the driver.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for_end, args=(parent.sentinel, os.getppid()), daemon=True).start()


def _wait_for_end(sentinel: int, parent: int) -> None:
    while os.getppid() == parent and not connection.wait([sentinel], 5.0):
        continue  # a forked process may hold its siblings' sentinels open, so it asks for its parent as well
    os._exit(1)
