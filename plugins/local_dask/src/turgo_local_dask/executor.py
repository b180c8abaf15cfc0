"""`LocalDaskExecutor` uses every core of one machine. It does so by the scheduler that dask would use.

A call starts when it is submitted, on a pool that belongs to this `start()` alone and that is made with its
first call. Dask's configuration says how large the pool is and how processes are started; dask's graphs
are not used, because a graph computes nothing before the whole of it is there.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any, ClassVar, Self, TypeVar

import dask.config
import dask.multiprocessing
from dask.system import CPU_COUNT

from turgo.errors import ExecutorStartError
from turgo.executor import Executor, ExtraContext
from turgo.main_module import require_guard
from turgo_local_dask.diagnostics import Diagnostics, active_diagnostics
from turgo_local_dask.options import checked, for_dask, scheduler_name
from turgo_local_dask.pools import NoPool, Pool, UserPool
from turgo_local_dask.processes.process_pool import ProcessPool
from turgo_local_dask.processes.worker import send_bytes
from turgo_local_dask.settings import of_this_process
from turgo_local_dask.thread_pool import ThreadPool

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

    api_version: ClassVar[int] = 1

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
        own = for_dask(self.dask_config)
        return own[key] if key in own else dask.config.get(key, None)

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
    def start(self) -> Iterator[Self]:
        """Put the configuration in force; the pool is made by the first call that needs it.

        On leaving, calls that wait are cancelled. After a normal end those that run are waited for; after an
        error or Ctrl-C processes are ended, and threads are interrupted and given up, within 3 seconds.
        """
        with of_this_process.applied(for_dask(self.dask_config)), self._diagnosed() as diagnostics:
            self._slots, self._offered = self.slots, self.capabilities
            self._diagnostics = diagnostics
            self._pool = self._open()
            try:
                yield self
            except BaseException:
                self._pool.stop(STOP_SECONDS)
                raise
            else:
                self._pool.close()
            finally:
                del self._pool, self._slots, self._offered, self._diagnostics

    def _diagnosed(self) -> AbstractContextManager[Diagnostics | None]:
        """A scheduler of dask's that was given calls the callbacks itself."""
        return nullcontext() if callable(self.scheduler) else active_diagnostics()

    def _open(self) -> Pool:
        if callable(self.scheduler):
            return NoPool(self.scheduler)
        if self.scheduler == "synchronous":
            return NoPool()
        given = dask.config.get("pool", None)
        if given is not None:
            return UserPool(given)
        _require_daemons()
        if self.scheduler == "threads":
            return ThreadPool(self._slots)
        if dask.multiprocessing.get_context().get_start_method() != "fork":
            require_guard()
        return ProcessPool(self._slots)

    @contextmanager
    def channel(self, deliver: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None] | None]:
        """The pipes of the processes; threads share the memory of the driver, and need none."""
        pool = self._pool
        if not isinstance(pool, ProcessPool):
            yield None
            return
        pool.listeners.append(deliver)
        try:
            yield send_bytes
        finally:
            pool.listeners.remove(deliver)

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
        diagnostics = self._diagnostics
        if diagnostics is None:
            return self._pool.submit(name, fn, args, kwargs, hints.get("task_timeout"))
        key = diagnostics.submitted(name)
        future = self._pool.submit(name, fn, args, kwargs, hints.get("task_timeout"))
        future.add_done_callback(partial(diagnostics.done, key))
        return future


def _require_daemons() -> None:
    """Raise ExecutorStartError in a subinterpreter, whose end would wait for a thread that cannot be stopped."""
    allowed = getattr(_thread, "daemon_threads_allowed", None)
    if allowed is not None and not allowed():
        raise ExecutorStartError(
            "local_dask cannot open threads or processes in a subinterpreter, which allows no daemon threads: "
            'use it in the main interpreter, or scheduler="synchronous"'
        )
