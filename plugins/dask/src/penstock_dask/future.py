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
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import dask.utils
import distributed
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from penstock.errors import TaskTimeoutError, WorkerLostError
from penstock_dask.cancelling import wait_until_known

LOST_SCHEDULER = "scheduler-connection-lost"
"""What distributed says of calls whose scheduler is gone."""

_ASK_SECONDS = 1.0
"""How long the scheduler may take to say why a worker is gone."""

DESERTED = "penstock-deserted"
"""What we say of calls that no worker came for."""

LATE = "penstock-late"
"""What we say of a call that took too long, and of those that follow it."""


class DaskFuture(distributed.Future):  # type: ignore[misc]  # distributed carries no types
    """The future of a call on a cluster.

    callbacks: the pool that runs its callbacks. verdict: why it was given up here, which then is its error.
    """

    callbacks: concurrent.futures.ThreadPoolExecutor
    verdict: Exception | None = None

    @classmethod
    def adopt(
        cls, future: distributed.Future, callbacks: concurrent.futures.ThreadPoolExecutor
    ) -> DaskFuture:
        """Make `future`, fresh from `Client.submit`, one of ours.

        It changes its class: a second future for the same key would cost two turns of the client's event
        loop.
        """
        future.__class__ = cls
        future.callbacks = callbacks
        ours: DaskFuture = future
        return ours

    def result(self, timeout: float | None = None) -> Any:
        """The value, fetched from its worker, or the error of the call; waits for at most `timeout` seconds.

        Raises WorkerLostError if the worker died, CancelledError if it was cancelled or its executor closed.
        """
        self.exception_or_raise(timeout)
        try:
            return super().result(timeout)
        except (FutureCancelledError, CommClosedError) as lost:
            raise WorkerLostError(f"the value of {self.key} is gone: {lost}") from lost

    def exception(self, timeout: float | None = None, **kwargs: Any) -> BaseException | None:
        """The error of the call, or None; waits for at most `timeout` seconds."""
        if not self.done():
            super().exception(timeout, **kwargs)
        if self.verdict is not None:
            return self.verdict
        state = self._state
        if state.status == "error":
            return as_ours(state.exception, self.key, self.client)
        if state.status == "cancelled":
            cancelled = as_ours(state.exception, self.key)
            if isinstance(cancelled, (WorkerLostError, TaskTimeoutError)):
                return cancelled
            raise cancelled
        return None

    def exception_or_raise(self, timeout: float | None = None) -> None:
        """Wait for the end of the call and raise its error, if it has one, with the worker's traceback."""
        error = self.exception(timeout)
        if error is None:
            return
        traceback = self._state.traceback
        raise error.with_traceback(traceback) if traceback is not None else error

    def cancel(self, reason: str | None = None, msg: str | None = None, **kwargs: Any) -> bool:
        """Take the call back, and say whether it is. One that runs already runs on; its value is dropped."""
        if not self.done():
            wait_until_known(self.client, [self])
            super().cancel(reason=reason, msg=msg, **kwargs)
        return bool(self.cancelled())

    def cancelled(self) -> bool:
        """Whether it was taken back."""
        return self.verdict is None and bool(super().cancelled())

    def add_done_callback(self, fn: Callable[[Any], Any]) -> None:
        """Call `fn(future)` when the call is done: at once if it is, in the executor's thread otherwise."""
        if self.done():
            fn(self)
        else:
            self.client.loop.add_callback(self._call_when_done, fn)

    async def _call_when_done(self, fn: Callable[[Any], Any]) -> None:
        while not self.done():
            await self._state.wait()
        self.callbacks.submit(fn, self)


def as_ours(error: BaseException, key: str, client: distributed.Client | None = None) -> BaseException:
    """The error that the contract knows: WorkerLostError for a lost worker or scheduler, CancelledError.

    client: asks the scheduler why a worker was lost.
    """
    if isinstance(error, KilledWorker):
        worker = getattr(error.last_worker, "address", error.last_worker)
        ours: BaseException = WorkerLostError(
            f"the worker {worker} died while it ran {key}, or had it in its queue{_why(client, worker)}",
            sure=False,
        )
    elif isinstance(error, FutureCancelledError) and error.reason == LOST_SCHEDULER:
        ours = WorkerLostError(f"the scheduler that had {key} is gone")
    elif isinstance(error, FutureCancelledError) and error.reason == DESERTED:
        ours = WorkerLostError(f"{key} was given up: {error.msg}", sure=False)
    elif isinstance(error, FutureCancelledError) and str(error.reason).startswith(LATE):
        ours = TaskTimeoutError(str(error.msg), seconds=float(error.reason.rpartition(":")[2]))
    elif isinstance(error, CommClosedError):
        ours = WorkerLostError(f"the value of {key} is gone: {error}", sure=False)
    elif isinstance(error, FutureCancelledError):
        ours = concurrent.futures.CancelledError(str(error))
    else:
        return error
    ours.__cause__ = error
    return ours


def _why(client: distributed.Client | None, worker: str) -> str:
    """Why a worker is gone, as far as its nanny told the scheduler: it used too much memory."""
    if client is None or client.status != "running":
        return ""
    with suppress(Exception):  # this is a hint, and the loss is told of without it too
        topic = "worker-restart-memory"
        events = client.sync(client.scheduler.events, topic=topic, callback_timeout=_ASK_SECONDS)
        for _, event in reversed(events):
            if event["worker"] == worker:
                held = dask.utils.format_bytes(event["rss"])
                return f": its nanny ended it, as it had {held} of memory, too near its limit"
    return ""
