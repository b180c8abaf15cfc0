"""`LocalDaskExecutor`: every core of one machine, by the scheduler that dask would use.

A call starts when it is submitted, on a pool that belongs to this `start()` alone and that is made with its
first call. Dask's configuration says how large the pool is and how processes are started; dask's graphs
are not used, because a graph computes nothing before the whole of it is there.
"""

from __future__ import annotations

import _thread
import multiprocessing.pool
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Protocol, TypeVar

import dask.config
from dask.local import MultiprocessingPoolExecutor
from dask.system import CPU_COUNT

from penstock.errors import ExecutorStartError
from penstock.executor import Executor, ExtraContext
from penstock.futures import call_now
from penstock.main_module import require_guard
from penstock_local_dask.processes import ProcessPool
from penstock_local_dask.settings import checked, for_dask, scheduler_name
from penstock_local_dask.threads import ThreadPool

T = TypeVar("T")

STOP_SECONDS = 2.5
"""How long calls that run may take to end after an error or Ctrl-C, before they are given up."""

_CAPABILITIES = {
    "threads": frozenset({"parallel", "forwards_logs"}),
    "processes": frozenset(
        {"parallel", "cancels_running", "hard_timeouts", "survives_worker_loss", "forwards_logs"}
    ),
    "synchronous": frozenset({"forwards_logs"}),
}


class _Pool(Protocol):
    def submit(
        self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]: ...

    def close(self) -> None: ...

    def stop(self, seconds: float) -> None: ...


class LocalDaskExecutor(Executor):
    """Run calls on this machine by one of dask's local schedulers.

    scheduler: "threads", "processes", "synchronous", or one of their other names (threading, multiprocessing,
        sync, single-threaded) in any case; or a scheduler function, as dask takes it: it is called with a
        graph of one call and its key, in the thread that submits.
    dask_config: dask configuration that is in force during `start()`: `num_workers` (default: the CPUs that
        this process may use), `multiprocessing.context` ("spawn", "fork" or "forkserver"; also written
        `multiprocessing_context`), `multiprocessing.initializer`, `temporary_directory`, `pool` (a pool of
        your own, which is not closed) … Dask's configuration files and `DASK_*` variables count as well.

    Raises OptionError for an unknown scheduler and for a key that dask does not know.
    """

    api_version: ClassVar[int] = 2

    def __init__(self, scheduler: str | Callable[..., Any] = "threads", **dask_config: Any) -> None:
        self.scheduler = scheduler_name(scheduler)
        self.dask_config = checked(dask_config)

    @property
    def capabilities(self) -> frozenset[str]:  # type: ignore[override]  # it depends on the scheduler
        """What the scheduler that was chosen can do. Of a pool of your own nothing but `parallel` is known."""
        if callable(self.scheduler):
            return frozenset()
        if "_offered" in self.__dict__:  # asked for with each run
            return self._offered
        if self.scheduler != "synchronous" and self._configured("pool") is not None:
            return frozenset({"parallel"}) if self.slots > 1 else frozenset()
        return _CAPABILITIES[self.scheduler]

    def _configured(self, key: str) -> Any:
        """What dask's configuration says, with the options of this executor in force."""
        with dask.config.set(for_dask(self.dask_config)):
            return dask.config.get(key, None)

    @property
    def slots(self) -> int:
        """The number of threads or processes; 1 where calls run one after another."""
        if callable(self.scheduler) or self.scheduler == "synchronous":
            return 1
        if "_slots" in self.__dict__:  # asked for with each submission
            return self._slots
        pool = self._configured("pool")
        if pool is not None:
            return max(1, getattr(pool, "_max_workers", None) or getattr(pool, "_processes", None) or 1)
        return max(1, int(self._configured("num_workers") or CPU_COUNT))

    @contextmanager
    def start(self) -> Iterator[LocalDaskExecutor]:
        """Put the configuration in force; the pool is made by the first call that needs it.

        On leaving, calls that wait are cancelled. After a normal end those that run are waited for; after an
        error or Ctrl-C processes are ended, and threads are interrupted and given up, within 3 seconds.
        """
        with dask.config.set(for_dask(self.dask_config)), _same_hashes():
            self._slots, self._offered = self.slots, self.capabilities
            self._pool = self._open()
            try:
                yield self
            except BaseException:
                self._pool.stop(STOP_SECONDS)
                raise
            else:
                self._pool.close()
            finally:
                del self._pool, self._slots, self._offered

    def _open(self) -> _Pool:
        if callable(self.scheduler):
            return _Inline(partial(_by_scheduler, self.scheduler))
        if self.scheduler == "synchronous":
            return _Inline(_directly)
        given = dask.config.get("pool", None)
        if given is not None:
            return _Foreign(given)
        _require_daemons()
        if self.scheduler == "threads":
            return ThreadPool(self._slots)
        if dask.multiprocessing.get_context().get_start_method() != "fork":
            require_guard()
        return ProcessPool(self._slots)

    def submit(
        self,
        fn: Callable[..., T],
        /,
        *args: Any,
        extra_context: ExtraContext | None = None,
        **kwargs: Any,
    ) -> Future[T]:
        """Start the call on the pool, or run it at once where there is none."""
        hints = extra_context or {}
        name = hints.get("task_name") or str(getattr(fn, "__name__", "call"))
        if isinstance(self._pool, ProcessPool):
            return self._pool.submit(name, fn, args, kwargs, hints.get("task_timeout"))
        return self._pool.submit(name, fn, args, kwargs)


def _require_daemons() -> None:
    """Raise ExecutorStartError in a subinterpreter, whose end would wait for a thread that cannot be stopped."""
    allowed = getattr(_thread, "daemon_threads_allowed", None)
    if allowed is not None and not allowed():
        raise ExecutorStartError(
            "local_dask cannot open threads or processes in a subinterpreter, which allows no daemon threads: "
            'use it in the main interpreter, or scheduler="synchronous"'
        )


def _directly(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return fn(*args, **kwargs)


def _by_scheduler(
    scheduler: Callable[..., Any], fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    return scheduler({"call": (partial(fn, *args, **kwargs),)}, "call")


class _Inline:
    """No pool: calls run one after another, in the thread that submits."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run

    def submit(
        self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        return call_now(self._run, fn, args, kwargs)

    def close(self) -> None:
        """There is nothing to close."""

    def stop(self, seconds: float) -> None:
        """There is nothing to stop."""


class _Foreign:
    """The user's own pool: used and not closed; only what waits is taken back."""

    def __init__(self, pool: Any) -> None:
        is_multiprocessing = isinstance(pool, multiprocessing.pool.Pool)
        self._pool = MultiprocessingPoolExecutor(pool) if is_multiprocessing else pool
        self._futures: set[Future[Any]] = set()

    def submit(
        self, name: str, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        future: Future[Any] = self._pool.submit(fn, *args, **kwargs)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def close(self) -> None:
        for future in list(self._futures):
            future.cancel()

    def stop(self, seconds: float) -> None:
        self.close()


@contextmanager
def _same_hashes() -> Iterator[None]:
    """Strings hash alike in all worker processes: dask sets the same variable to the same value."""
    before = os.environ.get("PYTHONHASHSEED")
    if before not in (None, "0"):
        yield
        return
    os.environ["PYTHONHASHSEED"] = "6640"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYTHONHASHSEED", None)
        else:
            os.environ["PYTHONHASHSEED"] = before
