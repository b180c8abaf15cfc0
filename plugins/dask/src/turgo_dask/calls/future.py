"""`DaskFuture`: a future of distributed that keeps the rules of `concurrent.futures`.

What distributed does otherwise, and what is done about it here:

- a worker that dies is `KilledWorker`, a lost scheduler a cancelled future: both are WorkerLostError;
- `exception()` of a cancelled call is None there: here it raises `CancelledError`;
- `cancel()` gives None there: here it says whether the call is cancelled;
- `exception()` goes through the event loop there: here it looks first, because most calls are done;
- `add_done_callback` keeps a thread for the life of the process there: here the executor owns it.

Dask takes it for one of its own wherever it stands among arguments.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

import distributed
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from turgo.errors import TaskTimeoutError, WorkerLostError
from turgo_dask.calls.cancel import wait_until_known
from turgo_dask.calls.deaths import Deaths, why_lost
from turgo_dask.calls.once import never_begins, was_begun
from turgo_dask.calls.wrappers import exit_of

LOST_SCHEDULER = "scheduler-connection-lost"
"""The reason that distributed gives for calls whose scheduler is gone."""

ABANDONED = "turgo-abandoned"
"""Our reason for calls that no worker came for."""

LATE = "turgo-late"
"""Our reason for a call that took too long, and for those that depend on it."""


_ASKING = threading.Lock()


class LostSlotError(Exception):
    """A call was handed to a slot of a worker with which there is no connection any more.

    holder: the key of the call that came to that slot by the scheduler. alone: whether no other call had been handed to
    it already, which may have begun.
    """

    def __init__(self, worker: str, holder: str, *, alone: bool = True) -> None:
        super().__init__(worker, holder)
        self.worker = worker
        self.holder = holder
        self.alone = alone

    def as_ours(self, key: str, client: distributed.Client | None, deaths: Deaths | None) -> WorkerLostError:
        """The error that the contract knows, for the call of that key."""
        if deaths is not None and deaths.knows(self.worker):
            return _died(self.worker, key, self.holder, client, deaths, alone=self.alone)
        message = f"the connection to the worker {self.worker} broke while it ran {key}"
        return WorkerLostError(message, sure=False)


class DaskFuture(distributed.Future):  # type: ignore[misc]  # distributed has no types
    """The future of a call on a cluster.

    callbacks: the pool that runs its callbacks. deaths: the workers that died. once: whether it may begin once only.
    local_error: its error, where the driver has ended it or knows more. report: its value, where the scheduler does not
    know of it. take_back: cancels it, if it is one that the scheduler does not know.
    """

    callbacks: concurrent.futures.ThreadPoolExecutor
    deaths: Deaths
    once: bool = False
    report: bytes | None = None
    take_back: Callable[[str], bool] | None = None
    local_error: BaseException | None = None

    @classmethod
    def adopt(
        cls, future: distributed.Future, callbacks: concurrent.futures.ThreadPoolExecutor, deaths: Deaths
    ) -> DaskFuture:
        """Make `future`, fresh from `Client.submit`, one of ours.

        It changes its class: a second future for the same key would cost two turns of the client's event
        loop.
        """
        future.__class__ = cls
        future.callbacks = callbacks
        future.deaths = deaths
        ours: DaskFuture = future
        return ours

    def result(self, timeout: float | None = None) -> Any:
        """The value, fetched from its worker, or the error of the call; waits for at most `timeout` seconds.

        Raises WorkerLostError if the worker died, CancelledError if it was cancelled or its executor closed.
        """
        self.raise_if_failed(timeout)
        if self.report is not None:
            return self.report
        try:
            return super().result(timeout)
        except (FutureCancelledError, CommClosedError) as lost:
            raise WorkerLostError(f"the value of {self.key} is gone: {lost}") from lost

    def exception(self, timeout: float | None = None, **kwargs: Any) -> BaseException | None:
        """The error of the call, or None; waits for at most `timeout` seconds."""
        if not self.done():
            super().exception(timeout, **kwargs)
        if self.local_error is not None:
            return self.local_error
        state = self._state
        if state.status == "error":
            error = as_ours(state.exception, self.key, self.client, self.deaths)
            return self._lost_once(error) if self.once and isinstance(error, WorkerLostError) else error
        if state.status == "cancelled":
            cancelled = as_ours(state.exception, self.key)
            if isinstance(cancelled, (WorkerLostError, TaskTimeoutError)):
                return cancelled
            raise cancelled
        return None

    def _lost_once(self, error: WorkerLostError) -> BaseException:
        """The error of a call that may begin once only, with whether it had begun, which can be asked once only."""
        with _ASKING:
            if self.local_error is None:
                error.begun = not never_begins(self.client, self.key)
                self.local_error = error
            return self.local_error

    def raise_if_failed(self, timeout: float | None = None) -> None:
        """Wait for the end of the call and raise its error, if it has one, with the worker's traceback."""
        error = self.exception(timeout)
        if error is None:
            return
        traceback = self._state.traceback
        raise error.with_traceback(traceback) if traceback is not None else error

    def cancel(self, reason: str | None = None, msg: str | None = None, **kwargs: Any) -> bool:
        """Cancel the call; whether it is cancelled. One that runs already runs to its end; its value is dropped."""
        if not self.done() and not (self.take_back is not None and self.take_back(self.key)):
            wait_until_known(self.client, [self])
            super().cancel(reason=reason, msg=msg, **kwargs)
        return bool(self.cancelled())

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.local_error is None and bool(super().cancelled())

    def add_done_callback(self, fn: Callable[[Any], Any]) -> None:
        """Call `fn(future)` when the call is done: at once if it is, in the executor's thread otherwise.

        One that never blocks is called in the client's event loop, which saves the way to that thread.
        """
        if self.done():
            fn(self)
        else:
            self.client.loop.add_callback(self._call_when_done, fn)

    async def _call_when_done(self, fn: Callable[[Any], Any]) -> None:
        while not self.done():
            await self._state.wait()
        if getattr(fn, "never_blocks", False):
            fn(self)
        else:
            self.callbacks.submit(fn, self)


def as_ours(
    error: BaseException, key: str, client: distributed.Client | None = None, deaths: Deaths | None = None
) -> BaseException:
    """The error that the contract knows: WorkerLostError for a lost worker or scheduler, CancelledError.

    client: asks the scheduler why a worker was lost. deaths: what else was lost with it.
    """
    if isinstance(error, KilledWorker):
        return _killed(error, key, client, deaths)
    if was_begun(error):
        ours: BaseException = WorkerLostError(
            f"the worker that had begun {key} died, and it may not begin twice"
        )
    elif isinstance(error, FutureCancelledError) and error.reason == LOST_SCHEDULER:
        ours = WorkerLostError(f"the scheduler that had {key} is gone")
    elif isinstance(error, FutureCancelledError) and error.reason == ABANDONED:
        ours = WorkerLostError(f"{key} was given up: {error.msg}", sure=False)
    elif isinstance(error, FutureCancelledError) and str(error.reason).startswith(LATE):
        ours = TaskTimeoutError(str(error.msg), seconds=float(error.reason.rpartition(":")[2]))
    elif isinstance(error, LostSlotError):
        return error.as_ours(key, client, deaths)
    elif isinstance(error, CommClosedError):
        ours = WorkerLostError(f"the value of {key} is gone: {error}", sure=False)
    elif isinstance(error, FutureCancelledError):
        ours = concurrent.futures.CancelledError(str(error))
    else:
        return exit_of(error)
    ours.__cause__ = error
    return ours


def _killed(
    error: KilledWorker, key: str, client: distributed.Client | None, deaths: Deaths | None
) -> WorkerLostError:
    """The error of a call whose worker died; or where the one died that made again what the call takes."""
    worker = getattr(error.last_worker, "address", error.last_worker)
    task = str(error.task)
    if task != key:
        return WorkerLostError(
            f"the worker {worker} died as it made again what {key} takes, or had it in its queue: "
            f"{task}{_why(client, worker)}",
            sure=False,
            blameless=True,
        )
    return _died(worker, key, key, client, deaths)


def _died(
    worker: str,
    key: str,
    holder: str,
    client: distributed.Client | None,
    deaths: Deaths | None,
    *,
    alone: bool = True,
) -> WorkerLostError:
    """The error of a call that a worker had. holder: the key by which the scheduler knows what ran in its slot.

    alone: whether nothing else was in that slot, as far as the driver knows.
    """
    alone = alone and deaths is not None and deaths.alone(holder, worker)
    beside = "" if alone else ", or had it in its queue"
    return WorkerLostError(
        f"the worker {worker} died while it ran {key}{beside}{_why(client, worker)}", sure=alone
    )


def _why(client: distributed.Client | None, worker: str) -> str:
    """Why a worker is gone, to end a sentence with."""
    reason = why_lost(client, worker)
    return f": {reason}" if reason else ""
