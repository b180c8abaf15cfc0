"""One worker process, as the driver has it. It is ended with all that its calls started."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from typing import Any

import attrs

from turgo.main_module import ChildName
from turgo.process_tree import ProcessTree
from turgo.safe_path import safe_path
from turgo_local_dask.processes import worker
from turgo_local_dask.processes.log_records import levels_here, replay
from turgo_local_dask.processes.pipe import Kind, Message, Packed, Pipe
from turgo_local_dask.processes.process_failures import evidence, oom_kills

logger = logging.getLogger(__name__)

PROCESS_END_SECONDS = 5.0
"""How long a process that is to end may take, before it is killed."""

EXIT_CODE_WAIT_SECONDS = 1.0
"""How long an exit code may be missing that another thread has asked for, and not noted yet."""

EXIT_CODE_POLL_SECONDS = 0.001
"""How often it is looked for."""


_AFTER_BEGIN = frozenset({Kind.VALUE, Kind.FAILURE})
"""What may come of a call that has begun."""


class Died(Exception):  # noqa: N818  (what happened to the process)
    """The process is gone, or has closed its pipe; `WorkerProcess.ended` says how."""


class TookTooLong(Exception):  # noqa: N818
    """A call was not done in its time."""


@attrs.define(eq=False)
class Setup:
    """How the processes of a pool are made, and whether any of them was ever ready.

    context: of multiprocessing, as dask is configured; initializer: a pickled function or None; starting: a lock that
    all share, so that none inherits the end of another's pipe; listeners: get the bytes that calls send.
    failure: why the first one could not be started.
    """

    context: Any
    initializer: bytes
    starting: threading.Lock = attrs.field(factory=threading.Lock)
    listeners: list[Callable[[bytes], None]] = attrs.field(factory=list)
    ready: bool = False
    failure: str | None = None


class WorkerProcess:
    """A process that executes calls. It is used by the thread that made it, which must outlive it."""

    def __init__(self, setup: Setup) -> None:
        """Start it."""
        with setup.starting:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = setup.context.Process(
                    target=worker.main,
                    args=(theirs, setup.initializer, levels_here()),
                    name=ChildName("turgo-process"),
                )
                try:
                    _start(self._process)
                except BaseException:
                    ours.close()
                    raise
        self._oom_kills = oom_kills()
        self._listeners = setup.listeners
        self._tree = ProcessTree(self._process.pid)
        self._pipe = Pipe(ours)
        self._poll = select.poll()
        self._poll.register(self._pipe.fileno(), select.POLLIN)
        self._watched = _watch(self._process)
        self._poll.register(self._watched, select.POLLIN)
        self._end = select.poll()
        self._end.register(self._watched, select.POLLIN)
        self._ending = False
        self._call = 0
        self._awaited = frozenset({Kind.READY, Kind.FAILURE})
        self.dropped = 0

    def alive(self) -> bool:
        """Whether it has neither ended nor been asked to."""
        return not self._ending and not self._end.poll(0)

    def receive(self, seconds: float | None = None) -> Message:
        """The next message that answers the present call; log records go to the loggers here, bytes to listeners.

        Anything else is dropped, and told of. Raises Died, and TookTooLong after `seconds`.
        """
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            self._await(until)
            try:
                message = self._pipe.receive()
            except (EOFError, OSError):
                raise Died from None
            ours = message.sender == self._process.pid
            if ours and message.kind is Kind.LOG:
                replay(message.payload)
            elif ours and message.kind is Kind.BYTES:
                for listener in list(self._listeners):
                    listener(bytes(message.payload))
            elif ours and message.kind in self._awaited and message.call == self._call:
                self._awaited = _AFTER_BEGIN if message.kind is Kind.BEGUN else frozenset()
                return message
            else:
                self._drop(message)

    def _drop(self, message: Message) -> None:
        """Whoever sent it was not asked: a process that a call forked, say."""
        self.dropped += 1
        logger.warning(
            "a message of process %d about call %d was dropped: call %d of process %d is being executed",
            message.sender,
            message.call,
            self._call,
            self._process.pid,
        )

    def _await(self, until: float | None) -> None:
        """Wait until there is something to read. The pipe alone does not do: a child of the process may hold it."""
        patience = None if until is None else max(0.0, until - time.monotonic()) * 1000
        ready = {fd for fd, _ in self._poll.poll(patience)}
        if not ready:
            raise TookTooLong
        if self._pipe.fileno() not in ready:
            raise Died

    def call(self, call: Packed, seconds: float | None) -> Message:
        """Make a call, and wait for the message that is its outcome. Raises Died, and TookTooLong after `seconds`."""
        self._call += 1
        self._awaited = _AFTER_BEGIN if seconds is None else _AFTER_BEGIN | {Kind.BEGUN}
        try:
            self._pipe.send(Kind.CALL, self._call, *call)
        except OSError:
            raise Died from None
        if seconds is not None:
            message = self.receive()
            if message.kind is not Kind.BEGUN:
                return message
        return self.receive(seconds)

    def ended(self) -> str:
        """How a process that died has ended. What its calls had started ends with it."""
        code = self.join(PROCESS_END_SECONDS)
        self.kill()
        if code is None:
            self.join(PROCESS_END_SECONDS)
            return "closed its pipe and was killed"
        if code >= 0:
            return f"ended with exit code {code}"
        name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
        return f"was killed by {name}{evidence(self._oom_kills, oom_kills()) if name == 'SIGKILL' else ''}"

    def join(self, seconds: float) -> int | None:
        """Wait for its end; the exit code, negative for a signal, or None if it lives on."""
        if not self._end.poll(seconds * 1000):
            return None
        patience = time.monotonic() + EXIT_CODE_WAIT_SECONDS
        while self._process.exitcode is None and time.monotonic() < patience:
            time.sleep(EXIT_CODE_POLL_SECONDS)  # another thread has asked for the code, and not noted it yet
        self._process.join(0)  # multiprocessing forgets it now
        code: int | None = self._process.exitcode
        return code

    def terminate(self) -> None:
        """Ask it to end, and all that its calls started. Any thread may."""
        self._ending = True
        self._tree.terminate()

    def kill(self) -> None:
        """End it and all that its calls started, whatever they do. Any thread may."""
        self._ending = True
        self._tree.kill()

    def close(self) -> bool:
        """Let it end by itself, with its last words; kill it if it does not. Whether it ended by itself."""
        with contextlib.suppress(OSError):
            self._pipe.end()
        with contextlib.suppress(Died, TookTooLong):
            while True:
                self.receive(PROCESS_END_SECONDS)
        own_end = self.join(PROCESS_END_SECONDS) is not None
        if not own_end or self._ending:
            self.kill()
            self.join(PROCESS_END_SECONDS)
        self.release()
        return own_end

    def release(self) -> None:
        """Give back what the driver holds of a process that is gone.

        Multiprocessing's own object is not closed: as the program ends, the main thread may be about to join it.
        """
        self._pipe.close()
        if self._watched != self._process.sentinel:
            os.close(self._watched)


def _start(process: Any) -> None:
    """Start it with Ctrl-C held back until it is ready to leave that to the driver: it inherits the mask."""
    resource_tracker.ensure_running()  # here, as it lifts the mask if it has to be started first
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with safe_path():
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
