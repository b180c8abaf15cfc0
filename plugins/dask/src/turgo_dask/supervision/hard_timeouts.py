"""Kills a call that takes too long, together with its worker's process.

    worker ── datagrams: begin, end ──> thread of HardTimeouts ── too late ──> a thread of its own, which
        fails the call's future ──> moves the worker's values ──> removes it from the scheduler ──> SIGKILL

By then the scheduler knows the call no more, and takes the worker for one that has left in good order: its other
calls go to other workers without a failure. Calls that ran beside the late one, in other threads of that worker,
begin anew. The worker's nanny starts another process.
"""

from __future__ import annotations

import heapq
import hmac
import json
import logging
import os
import secrets
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

from turgo.errors import TaskTimeoutError
from turgo_dask.calls.cancel import until_forgotten
from turgo_dask.calls.future import LATE, DaskFuture
from turgo_dask.supervision.announce import Receiver, send

logger = logging.getLogger("turgo_dask")

HAND_OVER_SECONDS = 10.0
"""How long a worker may take to hand on the values that only it has, before it is killed."""

ALIVE_ANSWER_SECONDS = 2.0
"""How long a worker may take for a first answer; a call that keeps the interpreter's lock keeps it from any."""

SCHEDULER_ANSWER_SECONDS = 5.0

KILLS_END_SECONDS = 2.5
"""How long the close of a cluster waits for the listening thread, and then for kills that have begun."""

MAX_DATAGRAM_BYTES = 1 << 16

MOST_SECONDS = 1e9
"""Of a call; more than any task may say."""


@attrs.frozen(order=True)
class Running:
    """A call that runs. end: of its time, by the monotonic clock; pid and worker: its worker's process and address."""

    end: float
    key: str
    seconds: float
    pid: int
    worker: str


def _announces(message: dict[str, Any]) -> bool:
    """Whether a message says that a call begins."""
    seconds: Any = message.get("seconds")
    known = type(message.get("pid")) is int and type(message.get("worker")) is str
    return known and type(seconds) in (int, float) and 0 <= seconds <= MOST_SECONDS


class HardTimeouts:
    """Keeps the calls that run and may be killed, and kills those whose time is up.

    processes: gives the ids of the present worker processes; no other process is killed.
    report: records an event; kill: kills a process with its descendants; retires: is told of the worker before.
    """

    def __init__(
        self,
        client: distributed.Client,
        processes: Callable[[], set[int]],
        report: Callable[..., None],
        kill: Callable[[int], None],
        retires: Callable[[str], None] = lambda worker: None,
    ) -> None:
        self.client = client
        self.processes = processes
        self.kill = kill
        self.report = report
        self.retires = retires
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._listener.bind(("127.0.0.1", 0))
        self.receiver = Receiver(self._listener.getsockname()[1], secrets.token_hex(16))
        self._futures: weakref.WeakValueDictionary[str, DaskFuture] = weakref.WeakValueDictionary()
        self._running: dict[str, Running] = {}
        self._ends: list[Running] = []
        self._killers: list[threading.Thread] = []
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="turgo-dask-hard-timeouts", daemon=True)

    def start(self) -> None:
        """Begin to receive."""
        self._thread.start()

    def stop(self) -> None:
        """End; nothing is killed afterwards."""
        self._stopped = True  # before the message, which only ends a wait
        send(self.receiver, {})
        self._thread.join(KILLS_END_SECONDS)
        end = time.monotonic() + KILLS_END_SECONDS
        for killer in self._killers:
            killer.join(max(0.0, end - time.monotonic()))
        self._listener.close()

    def add(self, future: DaskFuture) -> None:
        """Keep the future of a call that was submitted, and that its worker will announce."""
        self._futures[future.key] = future

    def _run(self) -> None:
        while not self._stopped:
            self._receive(max(0.0, self._ends[0].end - time.monotonic()) if self._ends else None)
            while self._ends and self._ends[0].end <= time.monotonic() and self._receive(0.0):
                pass  # this thread may not have run for a while: the ends of calls come before the kills
            now = time.monotonic()
            while self._ends and self._ends[0].end <= now:
                late = heapq.heappop(self._ends)
                if self._running.get(late.key) is late:
                    del self._running[late.key]
                    self._killers = [each for each in self._killers if each.is_alive()]
                    killer = threading.Thread(target=self._kill, args=[late], daemon=True)
                    killer.start()
                    self._killers.append(killer)

    def _receive(self, seconds: float | None) -> bool:
        """Wait for a datagram for so many seconds; whether there was one."""
        self._listener.settimeout(seconds)
        try:
            message = self._authentic(self._listener.recv(MAX_DATAGRAM_BYTES))
        except (TimeoutError, BlockingIOError):
            return False
        if message is None or type(message.get("key")) is not str:
            return True
        if "over" in message:
            self._running.pop(message["key"], None)
        elif _announces(message):
            self._note(**{name: message[name] for name in ("key", "seconds", "pid", "worker")})
        return True

    def _authentic(self, datagram: bytes) -> dict[str, Any] | None:
        """The message of a datagram; None unless it has the secret, as any local user may send to a loopback port."""
        try:
            message = json.loads(datagram)
        except (ValueError, RecursionError):
            return None
        secret = message.get("secret") if isinstance(message, dict) else None
        known = isinstance(secret, str) and hmac.compare_digest(
            secret.encode(), self.receiver.secret.encode()
        )
        return message if known else None

    def _note(self, key: str, seconds: float, pid: int, worker: str) -> None:
        begun = Running(time.monotonic() + seconds, key, seconds, pid, worker)
        self._running[key] = begun
        heapq.heappush(self._ends, begun)

    def _kill(self, late: Running) -> None:
        """End a call with its worker's process, even if the scheduler does not answer."""
        future = self._futures.get(late.key)
        over = future is not None and future.status == "finished"
        if self._stopped or over or late.pid not in self.processes():
            return
        message = f"{late.key} took longer than {late.seconds:g} s: its worker {late.worker} was killed"
        self.report("killed", message, worker=late.worker)
        try:
            if future is not None:
                if not future.done():
                    future.local_error = TaskTimeoutError(message, seconds=late.seconds)
                self.client.cancel([future], reason=f"{LATE}:{late.seconds}", msg=message)
                until_forgotten(self.client, [future], seconds=SCHEDULER_ANSWER_SECONDS)
            if not self._stopped:
                self.retires(late.worker)
                self._retire(late.worker)
        except Exception:
            if not self._stopped:
                logger.warning("the worker %s could not be retired", late.worker, exc_info=True)
        if late.pid in self.processes():
            self.kill(late.pid)

    def _retire(self, worker: str) -> None:
        """Move the values that only this worker has, and let the scheduler remove it as one that leaves in order."""
        scheduler = self.client.scheduler
        with suppress(TimeoutError):
            self.client.sync(
                self.client._run, os.getpid, workers=[worker], callback_timeout=ALIVE_ANSWER_SECONDS
            )
            self.client.sync(
                scheduler.retire_workers,
                workers=[worker],
                close_workers=False,
                remove=True,
                callback_timeout=HAND_OVER_SECONDS,
            )
        self.client.sync(  # it is still known where no worker had room for its values, or it could not send them
            scheduler.unregister,
            address=worker,
            stimulus_id=f"turgo-timeout-{uuid.uuid4().hex}",
            expected=True,
            close=False,
            callback_timeout=SCHEDULER_ANSWER_SECONDS,
        )
