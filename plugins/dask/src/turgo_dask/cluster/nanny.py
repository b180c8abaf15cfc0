"""Starts each worker of a temporary local cluster in its own session. The session ends with the worker.

    WorkerNanny (in the driver) ── starts ──> LeaderWorker ── leads a session ──> processes that tasks start
        the worker has exited ──────────────────────────────> the rest of its session is killed

So a worker that crashes, is killed or closes leaves no process behind that a task of it has started, save those
that have left the session themselves. A process that is about to be killed here is killed with all its descendants.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing import resource_tracker
from typing import Any

import distributed
import distributed.nanny
import psutil
from distributed.process import AsyncProcess

from turgo.main_module import ChildName

MOST_SWEEPS_TIMES = 5
"""How often a session is looked through: what is killed may just have started another process."""

TRACKER_CODE = "from multiprocessing.resource_tracker import main"
"""What a resource tracker runs; it is an argument of its command."""


HTTP_ADDRESS = "127.0.0.1:0"


class LeaderWorker(distributed.Worker):  # type: ignore[misc]  # distributed has no types
    """A worker that leads a session, and is as quiet as its cluster."""

    def __init__(self, *args: Any, silence_logs: int | None = None, **kwargs: Any) -> None:
        if hasattr(os, "setsid"):
            with suppress(PermissionError):  # it leads one already
                os.setsid()
        own_resource_tracker()
        if silence_logs:
            logging.getLogger("distributed").setLevel(
                silence_logs
            )  # a script's own handlers get no lines either
        super().__init__(*args, silence_logs=silence_logs, **kwargs)


class SessionEnd(AsyncProcess):  # type: ignore[misc]  # distributed has no types
    """A process that ends when the driver does, with the rest of its session: no nanny is left to see to that."""

    @classmethod
    def _immediate_exit_when_closed(cls, parent_alive_pipe: Any) -> None:
        """Runs in the worker's process. parent_alive_pipe: is closed by the end of the driver, however that comes."""

        def wait() -> None:
            with suppress(EOFError, OSError):
                parent_alive_pipe.recv()
            try:
                end_session(os.getpid())
            finally:
                os._exit(1)

        threading.Thread(target=wait, name="turgo-dask-driver", daemon=True).start()

    @classmethod
    def _run(cls, *args: Any, **kwargs: Any) -> None:
        """Runs in the worker's process, which ends its session itself, as the driver may be ended at that moment."""
        try:
            super()._run(*args, **kwargs)
        finally:
            end_session(os.getpid())


class GuardedProcess(distributed.nanny.WorkerProcess):  # type: ignore[misc]  # distributed has no types
    """A worker's process that ends with its session, and in which the import of the program sets up no handlers."""

    @property
    def process(self) -> Any:
        """What distributed starts."""
        return self.__dict__["process"]

    @process.setter
    def process(self, process: Any) -> None:
        if process is not None:
            process._process.name = ChildName(process._process.name)
            process._process._target = SessionEnd._run
        self.__dict__["process"] = process


class WorkerNanny(distributed.Nanny):  # type: ignore[misc]  # distributed has no types
    """A nanny that ends the session of its worker after the worker itself.

    Where no address is given for it, the worker's HTTP server is on loopback, and by distributed's default without a
    dashboard, as which each process would load bokeh: the scheduler has one for all.
    """

    _leader: int | None = None

    @property
    def process(self) -> Any:
        """The worker's process, None before it is made."""
        return self.__dict__["process"]

    @process.setter
    def process(self, process: Any) -> None:
        if type(process) is distributed.nanny.WorkerProcess:
            process.__class__ = GuardedProcess
        self.__dict__["process"] = process

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("dashboard_address") is None:
            kwargs["dashboard_address"] = HTTP_ADDRESS  # by default it listens everywhere
        super().__init__(*args, **{"worker_class": LeaderWorker, **kwargs})

    async def instantiate(self) -> Any:
        """Start a worker, and note its process."""
        status = await super().instantiate()
        self._leader = self.pid
        return status

    def _on_worker_exit_sync(self, exitcode: int) -> None:
        """The worker's process has ended; called in the event loop, on each way that it may end."""
        leader, self._leader = self._leader, None
        if leader is not None:
            end_session(leader)
        super()._on_worker_exit_sync(exitcode)


def own_resource_tracker() -> None:
    """Let this process start a resource tracker of its own, in the place of its parent's, if it ever needs one.

    It removes the semaphores of killed processes; the parent's would do so at the end of the program alone, and
    complain of them. It is spared when the session ends, and ends once it has nothing to track any more.
    """
    tracker: Any = resource_tracker._resource_tracker
    if tracker._fd is not None:
        os.close(tracker._fd)
        tracker._fd = None
    sys.warnoptions.append("ignore::UserWarning:multiprocessing.resource_tracker")


def end_session(leader: int) -> None:
    """Kill the processes of the session that a process leads or has led. Another session is never touched."""
    for _ in range(MOST_SWEEPS_TIMES):
        members = [pid for pid in psutil.pids() if pid != os.getpid() and _session_of(pid) == leader]
        members = [pid for pid in members if not _is_tracker(pid)]
        if not members:
            return
        _kill(members)


def kill_with_descendants(pid: int) -> None:
    """Kill a process of ours, and all that it has started, directly or not.

    A resource tracker is spared, as those that live a moment longer would start another one; it ends after them.
    """
    descendants: list[psutil.Process] = []
    with suppress(psutil.Error):
        found = psutil.Process(pid).children(recursive=True)
        descendants = [each for each in found if not _is_tracker(each.pid)]
    _kill([pid])
    for each in descendants:
        with suppress(psutil.Error):  # it is gone; psutil kills no other process that has its id by now
            each.kill()
    end_session(pid)


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def _is_tracker(pid: int) -> bool:
    try:
        return any(word.startswith(TRACKER_CODE) for word in psutil.Process(pid).cmdline())
    except psutil.Error:  # it is gone
        return True


def _session_of(pid: int) -> int | None:
    if not hasattr(os, "getsid"):
        return None
    try:
        return os.getsid(pid)
    except OSError:
        return None
