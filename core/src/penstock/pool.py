"""The pool face: an executor as a true `concurrent.futures.Executor`, for asyncio, tqdm and any library.

asyncio and others insist on real `concurrent.futures.Future` objects, so the futures of the executor behind
are bridged to such; those that are real already pass through as they are.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

from penstock.deferred import BridgedFuture
from penstock.futures import Future

P = ParamSpec("P")
T = TypeVar("T")


class _Submits(Protocol):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]: ...


class ExecutorPool(concurrent.futures.Executor):
    """A started executor behind the interface of `concurrent.futures.Executor` (thread-safe as that is).

    Leaving its context waits for the calls that were made through it; the executor stays open.
    """

    def __init__(self, executor: _Submits) -> None:
        self._executor = executor
        self._pending: set[concurrent.futures.Future[Any]] = set()
        self._closed = False
        self._changed = threading.Condition()

    def submit(  # the base class marks `fn` positional-only as well
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> concurrent.futures.Future[T]:
        """Run `fn(*args, **kwargs)` on the executor. Raises RuntimeError after `shutdown()`."""
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        inner = self._executor.submit(fn, *args, **kwargs)
        future = _as_real(inner)
        with self._changed:
            self._pending.add(future)
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future: concurrent.futures.Future[Any]) -> None:
        with self._changed:
            self._pending.discard(future)
            self._changed.notify_all()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; `cancel_futures` takes back those that wait, `wait` waits for all others."""
        self._closed = True
        with self._changed:
            pending = list(self._pending)
        if cancel_futures:
            for future in pending:
                future.cancel()
        if wait:  # not by concurrent.futures.wait: that waits on for what is cancelled until a worker sees it
            with self._changed:
                self._changed.wait_for(lambda: not self._pending)


def _as_real(inner: Future[T]) -> concurrent.futures.Future[T]:
    if isinstance(inner, concurrent.futures.Future):
        return inner
    bridged = BridgedFuture[T]()
    bridged.follow(inner)
    return bridged
