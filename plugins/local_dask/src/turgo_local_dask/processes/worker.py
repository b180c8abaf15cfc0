"""Runs in a worker process. After its set-up it executes one call after another.

    main ──> set up ──READY──> driver
      └────> receive CALL ──> execute ──VALUE or FAILURE, with the number of the call──> driver

Everything crosses by cloudpickle, so functions and classes of a script, lambdas and closures travel by value.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache, partial
from multiprocessing import connection, parent_process
from typing import Any

from dask.multiprocessing import initialize_worker_process

from turgo.errors import ValueNotPortableError
from turgo_local_dask.processes.log_records import drop_handlers, forward_to
from turgo_local_dask.processes.pipe import Kind, Message, Packed, Pipe, packed, unpacked

_PR_SET_PDEATHSIG = 1

PARENT_CHECK_SECONDS = 5.0
"""How often a worker asks whether its parent is the one it had, where the kernel does not say so."""


def main(end: socket.socket, initializer: bytes, levels: Mapping[str, int]) -> None:
    """The life of a worker process: set it up, make one call after the other, end when the pipe does.

    initializer: a pickled function or None, called after dask's own; levels: of loggers, as the driver has them.
    """
    _end_with_driver()
    _lead_own_session()
    signal.signal(signal.SIGINT, _leave_to_driver)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    pipe = Pipe(end)
    os.register_at_fork(after_in_child=partial(_close_copy, pipe))
    drop_handlers()
    with suppress(EOFError, OSError):  # the driver is gone
        _serve(pipe, initializer, levels)


def _serve(pipe: Pipe, initializer: bytes, levels: Mapping[str, int]) -> None:
    """Set the process up, and make one call after the other. Raises EOFError or OSError at the end of the pipe."""
    owner = os.getpid()
    try:
        initialize_worker_process(pickle.loads(initializer))
    except BaseException as error:  # noqa: BLE001  (the user's code; the driver reports it)
        pipe.send(Kind.FAILURE, 0, *_failure(error))
        return
    forward_to(pipe, levels)
    _outlet().append(pipe)
    pipe.send(Kind.READY)
    while True:
        message = pipe.receive()
        kind, content = _outcome(pipe, message)
        if os.getpid() != owner:
            _end_forked_child()  # of a call that is no batch
        pipe.send(kind, message.call, *content)
        del message, content  # a worker that waits keeps nothing alive


def send_bytes(data: bytes) -> None:
    """Send bytes to those who listen in the driver; in a worker process, from any thread."""
    _outlet()[0].send(Kind.BYTES, 0, data)


@lru_cache(maxsize=1)
def _outlet() -> list[Pipe]:
    """The pipe to the driver, of which a process has one."""
    return []


def _leave_to_driver(signum: int, frame: Any) -> None:
    """Ctrl-C reaches all processes of a terminal, and the driver ends this one. (SIG_IGN would be inherited.)"""


def _outcome(pipe: Pipe, message: Message) -> tuple[Kind, Packed]:
    """Make the call of a message, and give what is to be answered."""
    try:
        limited, fn, args, kwargs = unpacked(message.payload, message.buffers)
        if limited:
            pipe.send(Kind.BEGUN, message.call)  # what it took to start and to import does not count
        value = fn(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001  (it becomes the future's)
        return Kind.FAILURE, _failure(error)
    try:
        return Kind.VALUE, packed(value)
    except Exception as error:  # noqa: BLE001  (pickling runs the user's code)
        unportable = ValueNotPortableError(
            f"the result, a {type(value).__name__}, cannot be pickled: {error}"
        )
        return Kind.FAILURE, _failure(unportable)


def _failure(error: BaseException) -> Packed:
    """The error in a form that is known to unpickle, or a stand-in with its text; with its traceback as text."""
    text = "".join(traceback.format_exception(error))
    try:
        payload, buffers = packed((error, text))
        unpacked(payload, buffers)
    except Exception as why:  # noqa: BLE001  (pickling runs the user's code)
        stand_in = ValueNotPortableError(
            f"{type(error).__name__}: {_message_of(error)} (the error itself cannot be pickled: {why})"
        )
        return packed((stand_in, text))
    return payload, buffers


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as odd:  # noqa: BLE001  (the user's code)
        return f"<its message cannot be shown: {type(odd).__name__}>"


def _close_copy(pipe: Pipe) -> None:
    """In a process that a call forks: without this it would keep the pipe open after the end of its parent."""
    pipe.close()


def _end_forked_child() -> None:
    """End a process that a call forked and that came back from the call; the answer is its parent's alone."""
    with suppress(OSError):  # standard error may be closed
        os.write(2, b"turgo: a process that a call had forked came back from that call, and was ended\n")
    os._exit(1)


def _lead_own_session() -> None:
    """Whatever calls start is in the session of this process, so that it can be found and ended together with it."""
    with suppress(PermissionError):  # it leads one already
        os.setsid()


def _end_with_driver() -> None:
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
    while os.getppid() == parent and not connection.wait([sentinel], PARENT_CHECK_SECONDS):
        continue  # a forked process may hold its siblings' sentinels open, so it asks for its parent as well
    os._exit(1)
