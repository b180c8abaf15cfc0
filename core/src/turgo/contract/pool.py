"""The pool face makes an executor a true `concurrent.futures.Executor`. So asyncio, tqdm and any library can use it.

asyncio and others insist on real `concurrent.futures.Future` objects, so the futures of the executor behind
are bridged to such; those that are real already pass through as they are.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

from turgo.contract.deferred import BridgedFuture
from turgo.futures import Future

P = ParamSpec("P")
T = TypeVar("T")


class _Executes(Protocol):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]: ...

    def cancel(self, futures: Any) -> int: ...


class ExecutorPool(concurrent.futures.Executor):
    """A started executor behind the interface of `concurrent.futures.Executor` (thread-safe as that is).

    Leaving its context waits for the calls that were made through it; the executor stays open.
    """

    def __init__(self, executor: _Executes) -> None:
        self._executor = executor
        self._pending: dict[concurrent.futures.Future[Any], Future[Any]] = {}  # and the future behind each
        self._submitting: list[int] = []  # the threads that are inside `submit`
        self._closed = self._takes_back = False
        self._changed = threading.Condition()

    def submit(  # the base class marks `fn` positional-only as well
        self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> concurrent.futures.Future[T]:
        """Run `fn(*args, **kwargs)` on the executor. Raises RuntimeError after `shutdown()`."""
        thread = threading.get_ident()
        with self._changed:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._submitting.append(thread)
        try:
            inner = self._executor.submit(fn, *args, **kwargs)
            future = _as_real(inner)
            with self._changed:
                self._pending[future] = inner
        finally:
            with self._changed:
                self._submitting.remove(thread)
                self._changed.notify_all()
        future.add_done_callback(self._forget)
        if self._takes_back:  # shut down meanwhile
            future.cancel()
        return future

    def _forget(self, future: concurrent.futures.Future[Any]) -> None:
        with self._changed:
            self._pending.pop(future, None)
            self._changed.notify_all()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; `cancel_futures` takes back those that wait, `wait` waits for all others.

        One that runs is let run, even by an executor that could stop it, if its future reports that it runs.
        """
        with self._changed:
            self._closed = True
            self._takes_back |= cancel_futures
            pending = dict(self._pending)
        if cancel_futures:
            waiting = {future: inner for future, inner in pending.items() if not future.running()}
            self._executor.cancel(list(waiting.values()))  # all at once, which spares some executors much
            for future in waiting:
                future.cancel()
        if wait:  # not by concurrent.futures.wait: that waits on for what is cancelled until a worker sees it
            with self._changed:
                self._changed.wait_for(self._nothing_left)

    def _nothing_left(self) -> bool:
        own = threading.get_ident()  # of a call that shuts the pool down while `submit` computes it
        return not self._pending and all(thread == own for thread in self._submitting)


def _as_real(inner: Future[T]) -> concurrent.futures.Future[T]:
    if isinstance(inner, concurrent.futures.Future):
        return inner
    bridged = BridgedFuture[T]()
    bridged.follow(inner)
    return bridged
