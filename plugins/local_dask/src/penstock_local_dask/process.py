"""One worker process, as the driver has it: started, given one call at a time, and told apart from all others."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import select
import signal
import socket
import threading
import time
import traceback
from multiprocessing import resource_tracker
from typing import Any

import dask.multiprocessing

from penstock_local_dask import pipe as messages
from penstock_local_dask import worker
from penstock_local_dask.pipe import Packed, Pipe

Message = tuple[int, bytearray, list[bytearray]]

END_SECONDS = 5.0
"""How long a process may take to end once it was told to, before it is killed."""


class Died(Exception):  # noqa: N818  (what happened to the process)
    """The process is gone; the message says how."""


class TookTooLong(Exception):  # noqa: N818
    """A call was not done in its time."""


class WorkerProcess:
    """A process that makes calls. It is used by the thread that made it, which must outlive it."""

    def __init__(self, context: Any, initializer: bytes, starting: threading.Lock) -> None:
        """Start it. `starting`: a lock that all share, so that none inherits the end of another's pipe."""
        with starting:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = context.Process(
                    target=worker.main, args=(theirs, initializer, _levels()), name="penstock-process"
                )
                _start(self._process)
        self._pipe = Pipe(ours)
        self._poll = select.poll()
        self._poll.register(self._pipe.fileno(), select.POLLIN)
        self._watched = _watch(self._process)
        self._poll.register(self._watched, select.POLLIN)
        self._end = select.poll()
        self._end.register(self._watched, select.POLLIN)
        self._told_to_end = False

    def alive(self) -> bool:
        """Whether it has neither ended nor been told to."""
        return not self._told_to_end and not self._end.poll(0)

    def receive(self, seconds: float | None = None) -> Message:
        """The next message that is no log record; those go to the loggers here.

        Raises Died, and TookTooLong after `seconds`.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            self._await(until)
            try:
                message = self._pipe.receive()
            except (EOFError, OSError):
                raise Died(self._how()) from None
            if message[0] != messages.LOG:
                return message
            _hear(message[1])

    def _await(self, until: float | None) -> None:
        """Wait until there is something to read. The pipe alone does not tell: a child of the process may hold it."""
        patience = None if until is None else max(0.0, until - time.monotonic()) * 1000
        ready = {fd for fd, _ in self._poll.poll(patience)}
        if not ready:
            raise TookTooLong
        if self._pipe.fileno() not in ready:
            raise Died(self._how())

    def call(self, call: Packed, seconds: float | None) -> Message:
        """Make a call, and wait for the message that is its outcome. Raises Died, and TookTooLong after `seconds`."""
        try:
            self._pipe.send(messages.CALL, *call)
        except OSError:
            raise Died(self._how()) from None
        if seconds is not None:
            message = self.receive()
            if message[0] != messages.BEGUN:
                return message
        return self.receive(seconds)

    def _how(self) -> str:
        """How the process ended, once it has."""
        code = self.join(END_SECONDS)
        if code is None:
            self.kill()
            code = self.join(END_SECONDS)
            return "closed its pipe and was killed"
        if code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
        return f"was killed by {name}" + (
            ", as the system does when memory is short" if name == "SIGKILL" else ""
        )

    def join(self, seconds: float) -> int | None:
        """Wait for its end; the exit code, negative for a signal, or None if it lives on."""
        if not self._end.poll(seconds * 1000):
            return None
        patience = time.monotonic() + 1.0
        while self._process.exitcode is None and time.monotonic() < patience:
            time.sleep(0.001)  # another thread has asked for the code, and not noted it yet
        self._process.join(0)  # multiprocessing forgets it now
        code: int | None = self._process.exitcode
        return code

    def terminate(self) -> None:
        """Ask it to end. Any thread may."""
        self._told_to_end = True
        with contextlib.suppress(ValueError):  # it was released
            self._process.terminate()

    def kill(self) -> None:
        """End it, whatever it does. Any thread may."""
        self._told_to_end = True
        with contextlib.suppress(ValueError):  # it was released
            self._process.kill()

    def close(self) -> bool:
        """Let it end by itself, with its last words; kill it if it does not. Whether it ended by itself."""
        with contextlib.suppress(OSError):
            self._pipe.end()
        with contextlib.suppress(Died, TookTooLong):
            while True:
                self.receive(END_SECONDS)
        own_end = self.join(END_SECONDS) is not None
        if not own_end:
            self.kill()
            self.join(END_SECONDS)
        self.release()
        return own_end

    def release(self) -> None:
        """Give back what the driver holds of a process that is gone."""
        self._pipe.close()
        if self._watched != self._process.sentinel:
            os.close(self._watched)
        with contextlib.suppress(ValueError):  # it lives on, against all odds
            self._process.close()


def _start(process: Any) -> None:
    """Start it with Ctrl-C held back until it is ready to leave that to the driver: it inherits the mask."""
    resource_tracker.ensure_running()  # here, as it lifts the mask if it has to be started first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _watch(process: Any) -> int:
    """A file descriptor that becomes readable when the process ends, whoever may have inherited its pipes."""
    try:
        return os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old one
        sentinel: int = process.sentinel
        return sentinel


def _levels() -> dict[str, int]:
    """The levels of the loggers here, so that a worker makes the records that are wanted and no others."""
    loggers = {"": logging.getLogger(), **logging.Logger.manager.loggerDict}
    levels = {name: getattr(logger, "level", 0) for name, logger in loggers.items()}  # some are placeholders
    return {name: level for name, level in levels.items() if level}


def _hear(payload: bytearray) -> None:
    """A record of the process, as if it had been logged here. What fails in that is nothing to the call."""
    try:
        record = logging.makeLogRecord(pickle.loads(payload))
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)
    except Exception:  # noqa: BLE001  (`extra` and filters are the user's)
        traceback.print_exc()  # as logging does


def context() -> Any:
    """How dask is configured to start processes."""
    return dask.multiprocessing.get_context()
