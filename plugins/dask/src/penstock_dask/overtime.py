"""Hard timeouts: a call that takes too long is killed with its worker's process, and a nanny starts another one.

    worker ── datagrams: begins, is over ──> Overtime's thread ── too late ──> one more thread, which
        fails the call's future  ──>  moves what the worker holds  ──>  takes it from the scheduler  ──>  SIGKILL

The call itself is gone from the scheduler by then. What else the worker had to do, it does not lose as by an accident:
to the scheduler it has left, and so these calls go to others without a failure. Those that ran there beside
the late one, where a worker has several threads, begin anew.
"""

from __future__ import annotations

import heapq
import json
import logging
import os
import secrets
import signal
import socket
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import attrs
import distributed

from penstock.errors import TaskTimeoutError
from penstock_dask.announcing import Ear, tell
from penstock_dask.cancelling import until_forgotten
from penstock_dask.future import LATE, DaskFuture

logger = logging.getLogger("penstock_dask")

MOVE_SECONDS = 10.0
"""How long a worker may take to hand on the values that only it has, before it is killed."""

_SIGN_OF_LIFE = 2.0  # seconds; a call that keeps the interpreter's lock keeps its worker from any answer
_ANSWER_SECONDS = 5.0
_LEAVE_SECONDS = 2.5  # that a cluster which is about to close anyway waits for the end of this
_LONGEST = 1 << 16  # bytes of a datagram


@attrs.frozen(order=True)
class Running:
    """A call that runs. end: when its time is up, by the monotonic clock; pid: of its worker, whose address is too."""

    end: float
    key: str
    seconds: float
    pid: int
    worker: str


class Overtime:
    """Knows which calls run that may be killed, and kills those whose time is up.

    processes: gives the ids of the worker processes that are there now, so that no other one is killed.
    tell: puts down what happened.
    """

    def __init__(
        self,
        client: distributed.Client,
        processes: Callable[[], set[int]],
        tell: Callable[..., None],
    ) -> None:
        self.client, self.processes, self.tell = client, processes, tell
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._listener.bind(("127.0.0.1", 0))
        self.ear = Ear(self._listener.getsockname()[1], secrets.token_hex(16))
        self._futures: weakref.WeakValueDictionary[str, DaskFuture] = weakref.WeakValueDictionary()
        self._running: dict[str, Running] = {}
        self._ends: list[Running] = []
        self._killers: list[threading.Thread] = []
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="penstock-dask-overtime", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End; nothing is killed afterwards."""
        self._stopped = True
        tell(self.ear, {})
        self._thread.join(_LEAVE_SECONDS)
        end = time.monotonic() + _LEAVE_SECONDS
        for killer in self._killers:
            killer.join(max(0.0, end - time.monotonic()))
        self._listener.close()

    def expect(self, future: DaskFuture) -> None:
        """A call was sent that is announced when it begins."""
        self._futures[future.key] = future

    def _run(self) -> None:
        while not self._stopped:
            self._hear(max(0.0, self._ends[0].end - time.monotonic()) if self._ends else None)
            while self._ends and self._ends[0].end <= time.monotonic() and self._hear(0.0):
                pass  # this thread may not have run for a while: what is over by now has said so
            now = time.monotonic()
            while self._ends and self._ends[0].end <= now:
                late = heapq.heappop(self._ends)
                if self._running.get(late.key) is late:
                    del self._running[late.key]
                    self._killers = [each for each in self._killers if each.is_alive()]
                    killer = threading.Thread(target=self._kill, args=[late], daemon=True)
                    killer.start()
                    self._killers.append(killer)

    def _hear(self, patience: float | None) -> bool:
        """Wait for a message for so many seconds; whether there was one."""
        self._listener.settimeout(patience)
        try:
            message = json.loads(self._listener.recv(_LONGEST))
        except (TimeoutError, BlockingIOError):
            return False
        except ValueError:  # it is not from here
            return True
        if message.get("secret") != self.ear.secret or "key" not in message:
            return True
        if "over" in message:
            self._running.pop(message["key"], None)
        else:
            self._note(**message)
        return True

    def _note(self, key: str, seconds: float, pid: int, worker: str, **_: Any) -> None:
        begun = Running(time.monotonic() + seconds, key, seconds, pid, worker)
        self._running[key] = begun
        heapq.heappush(self._ends, begun)

    def _kill(self, late: Running) -> None:
        """End a call with its worker's process. It is done whatever the scheduler does not answer."""
        future = self._futures.get(late.key)
        over = future is not None and future.status == "finished"
        if self._stopped or over or late.pid not in self.processes():
            return
        message = f"{late.key} took longer than {late.seconds:g} s: its worker {late.worker} was killed"
        self.tell("killed", message, worker=late.worker)
        try:
            if future is not None:
                if not future.done():
                    future.verdict = TaskTimeoutError(message, seconds=late.seconds)
                self.client.cancel([future], reason=f"{LATE}:{late.seconds}", msg=message)
                until_forgotten(self.client, [future], patience=_ANSWER_SECONDS)
            if not self._stopped:
                self._see_off(late.worker)
        except Exception:
            if not self._stopped:
                logger.warning("the worker %s could not be seen off", late.worker, exc_info=True)
        if late.pid in self.processes():
            with suppress(OSError):
                os.kill(late.pid, signal.SIGKILL)

    def _see_off(self, worker: str) -> None:
        """Let a worker hand on what only it has, and the scheduler know that it leaves, not that it died."""
        scheduler = self.client.scheduler
        with suppress(TimeoutError):
            self.client.sync(self.client._run, os.getpid, workers=[worker], callback_timeout=_SIGN_OF_LIFE)
            self.client.sync(
                scheduler.retire_workers,
                workers=[worker],
                close_workers=False,
                remove=True,
                callback_timeout=MOVE_SECONDS,
            )
        self.client.sync(  # no worker may have had room for what it holds, and it itself no way to send it
            scheduler.unregister,
            address=worker,
            stimulus_id=f"penstock-overtime-{uuid.uuid4().hex}",
            expected=True,
            close=False,
            callback_timeout=_ANSWER_SECONDS,
        )
