"""`FuturesExecutor`: calls on a pool of `concurrent.futures`, whichever class is named.

Threads get calls as they are. To every other pool a call travels as bytes, and so does what comes of it: see
`crossing`. A pool that breaks with a worker is made anew for the calls that come later: see `pools`.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Self, TypeVar

from turgo.errors import ExecutorStartError, ValueNotPortableError
from turgo.executor import Executor, ExtraContext

from turgo_futures import crossing, pools

T = TypeVar("T")


class FuturesExecutor(Executor):
    """Run calls on any pool that has the interface of `concurrent.futures.Executor`.

    pool: the class, or its dotted path: `concurrent.futures.ProcessPoolExecutor`, `loky.ProcessPoolExecutor`,
        `mpi4py.futures.MPIPoolExecutor` …
    pickled: whether calls and values travel as bytes; by default all but those of a pool of threads do.
    pool_kwargs: what the class is called with: `max_workers`, `mp_context` (also by its name: "spawn") …

    Raises OptionError for a path that leads to no such class, and for an option that the class does not take.
    """

    api_version: ClassVar[int] = 1

    def __init__(
        self,
        pool: str | type[concurrent.futures.Executor] = "concurrent.futures.ThreadPoolExecutor",
        *,
        pickled: bool | None = None,
        **pool_kwargs: Any,
    ) -> None:
        self.pool = pool
        self.pickled = pickled
        self.pool_kwargs = pool_kwargs
        pools.check(self._pool_class, pool_kwargs)

    @property
    def _pool_class(self) -> type[concurrent.futures.Executor]:
        return pools.found(self.pool)

    @property
    def capabilities(self) -> frozenset[str]:  # type: ignore[override]  # it depends on the pool
        """What the pool that was chosen can do; one worker runs nothing in parallel."""
        offered = pools.kind_of(self._pool_class).capabilities
        return offered - {"parallel"} if self.pool_kwargs.get("max_workers") == 1 else offered

    @property
    def slots(self) -> int:
        """The number of workers: as given, else as the open pool tells it, else the number of CPUs."""
        workers = self.__dict__.get("_workers")
        return self.pool_kwargs.get("max_workers") or (workers and workers.size) or os.cpu_count() or 1

    @contextmanager
    def start(self) -> Iterator[Self]:
        """Make the pool; its workers start as it sees fit.

        On leaving, calls that wait are cancelled. Those that run are waited for; after an error or Ctrl-C the
        processes that run them are ended, while threads and what runs on other machines are still waited for.
        """
        pickled = pools.kind_of(self._pool_class).pickled if self.pickled is None else self.pickled
        try:
            self._workers = pools.Renewed(partial(pools.made, self._pool_class, self.pool_kwargs))
        except Exception as error:
            raise ExecutorStartError(
                f"{self._pool_class.__name__}: {type(error).__name__}: {error}"
            ) from error
        self._send = _crossed if pickled else _direct
        try:
            yield self
        except BaseException:
            self._workers.close(at_once=True)
            raise
        else:
            self._workers.close(at_once=False)
        finally:
            del self._workers, self._send

    def submit(
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        extra_context: ExtraContext | None = None,
        **kwargs: Any,
    ) -> Future[T]:
        """Hand the call to the pool."""
        return self._send(self._workers, fn, args, kwargs)


def _direct(
    workers: pools.Renewed, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Future[Any]:
    return workers.submit(fn, *args, **kwargs)


def _crossed(
    workers: pools.Renewed, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Future[Any]:
    future = crossing.Crossing(lambda: workers.closing)
    try:
        payload = crossing.packed(fn, args, kwargs)
    except ValueNotPortableError as error:
        future.set_exception(error)
    else:
        future.follow(workers.submit(crossing.call, payload))
    return future
