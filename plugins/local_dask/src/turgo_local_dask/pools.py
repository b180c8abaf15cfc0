"""What the executor needs of a pool. The two simplest are here: none at all, and one that the user made."""

from __future__ import annotations

import multiprocessing.pool
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol

from dask.local import MultiprocessingPoolExecutor

from turgo.futures import call_now

Scheduler = Callable[..., Any]
"""As dask takes it: called with a graph and a key, it returns the value."""


class Pool(Protocol):
    """Runs calls until it is closed or stopped."""

    def submit(
        self,
        name: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float | None = None,
    ) -> Future[Any]:
        """Start a call. name: for messages; seconds: after which it is killed, where it can be."""

    def close(self) -> None:
        """Let what runs come to its end; what waits is cancelled."""

    def stop(self, seconds: float) -> None:
        """End what runs within so many seconds, as well as that is possible."""


class NoPool:
    """Calls run one after another, in the thread that submits. scheduler: executes each as a graph of one call."""

    def __init__(self, scheduler: Scheduler | None = None) -> None:
        self._run = _directly if scheduler is None else partial(_by_scheduler, scheduler)

    def submit(
        self,
        name: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float | None = None,
    ) -> Future[Any]:
        """Make the call. Its future is done."""
        return call_now(self._run, fn, args, kwargs)

    def close(self) -> None:
        """There is nothing to close."""

    def stop(self, seconds: float) -> None:
        """There is nothing to stop."""


def _directly(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*args, **kwargs)


def _by_scheduler(
    scheduler: Scheduler, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    return scheduler({"call": (partial(fn, *args, **kwargs),)}, "call")


class UserPool:
    """The user's own pool: used and not closed; only what waits is taken back."""

    def __init__(self, pool: Any) -> None:
        is_multiprocessing = isinstance(pool, multiprocessing.pool.Pool)
        self._pool = MultiprocessingPoolExecutor(pool) if is_multiprocessing else pool
        self._futures: set[Future[Any]] = set()

    def submit(
        self,
        name: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seconds: float | None = None,
    ) -> Future[Any]:
        """Give the call to the pool."""
        future: Future[Any] = self._pool.submit(fn, *args, **kwargs)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def close(self) -> None:
        """Cancel what waits. The pool is its maker's to close."""
        for future in list(self._futures):
            future.cancel()

    def stop(self, seconds: float) -> None:
        """The same: what runs in somebody's pool is not ended."""
        self.close()
