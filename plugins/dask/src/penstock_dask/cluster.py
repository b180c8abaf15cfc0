"""Temporary clusters: how one is configured, opened and closed."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import resource_tracker
from types import FrameType
from typing import Any

import dask.config
import distributed
from distributed.utils import LoopRunner, sync

from penstock.errors import ExecutorStartError, UsageError

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 4.0
"""How long a temporary cluster may take to close."""
END_SECONDS = 1.0
"""How long one of its workers may take to end by itself, before it is ended."""
REASONS = 4
"""How many errors, of which each came of the next, are told of."""

LOOPBACK: Mapping[str, Any] = {
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
}
"""All that a temporary local cluster opens listens here; by default its HTTP servers listen everywhere."""

CONFIG: Mapping[str, Any] = {
    # Measured: calls wait at the workers, not at the scheduler, so a worker has the next one at hand.
    "distributed.scheduler.worker-saturation": float("inf"),
    # The engine sends a lost call again by itself; dask would let it take four workers along first.
    "distributed.scheduler.allowed-failures": 0,
}
"""What a temporary cluster is configured with, where its user has configured nothing else."""

LOCAL_CONFIG: Mapping[str, Any] = {
    # A nanny starts its worker again by itself. Distributed looks 15 s after a loss whether that worker is there; if it
    # happens to be starting anew just then, since it was lost once more, its nanny is closed for good.
    "distributed.deploy.lost-worker-timeout": "365 days",
    # The scheduler, and what looks after the workers, share the cores with the calls. Measured with two workers:
    # an idle cluster takes 7 % of a core by distributed's defaults (3 the scheduler, 2 each worker), half of that so.
    "distributed.admin.tick.interval": "200ms",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.worker.profile.interval": "50ms",
}
"""What a local one is configured with besides."""


def is_local(cluster_class: Any) -> bool:
    """Whether it is distributed's LocalCluster, or made from it."""
    return isinstance(cluster_class, type) and issubclass(cluster_class, distributed.LocalCluster)


def can_kill(cluster_class: Any, cluster_kwargs: Mapping[str, Any] | None) -> bool:
    """Whether its workers are processes of this machine, each with a nanny that starts another one in its place."""
    options = cluster_kwargs or {}
    nanny = options.get("worker_class") or distributed.Nanny
    nannied = isinstance(nanny, type) and issubclass(nanny, distributed.Nanny)
    return is_local(cluster_class) and nannied and options.get("processes") is not False


def worker_processes(cluster: Any) -> set[int]:
    """The ids of the processes of a cluster's workers now, as far as it has nannies here."""
    nannies = [each for each in list(cluster.workers.values()) if isinstance(each, distributed.Nanny)]
    return {nanny.pid for nanny in nannies if nanny.pid is not None}


def local_options(cluster_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords for a LocalCluster: on loopback, as far as they say nothing else."""
    elsewhere = {"host", "interface", "protocol"} & cluster_kwargs.keys()
    loopback = {key: value for key, value in LOOPBACK.items() if not (key == "host" and elsewhere)}
    in_process = cluster_kwargs.get("processes") is False and not elsewhere
    if in_process:
        del loopback["host"]  # nothing but its HTTP servers listens at all
    return {**loopback, **cluster_kwargs}


@contextmanager
def configured(*, local: bool = False) -> Iterator[None]:
    """CONFIG in force, for a local cluster LOCAL_CONFIG too, save where the user has set something."""
    wanted = {**CONFIG, **LOCAL_CONFIG} if local else CONFIG
    chosen = {key: value for key, value in wanted.items() if not _set_by_user(key)}
    with dask.config.set(chosen):
        yield


def _set_by_user(key: str) -> bool:
    default = next(
        (found for config in dask.config.defaults if (found := dask.config.get(key, None, config=config))),
        None,
    )
    if dask.config.get(key, default) != default:
        return True
    return dask.config.get(key, None, config=dask.config.collect()) is not None


@contextmanager
def opened(cluster_class: Callable[..., Any], cluster_kwargs: Mapping[str, Any]) -> Iterator[Any]:
    """A temporary cluster, closed on leaving within CLOSE_SECONDS."""
    runner = LoopRunner(asynchronous=False)
    cluster = None
    try:
        with _uninterrupted() if is_local(cluster_class) else nullcontext():
            cluster = _started(cluster_class, cluster_kwargs, runner)
        yield cluster
    finally:
        if cluster is not None:
            _close(cluster, runner)


def _started(cluster_class: Callable[..., Any], cluster_kwargs: Mapping[str, Any], runner: LoopRunner) -> Any:
    runner.start()
    try:
        cluster = cluster_class(**cluster_kwargs)
        made = sync(runner.loop, _result_of, cluster) if inspect.iscoroutine(cluster) else cluster
        if not hasattr(made, "scheduler_address"):
            raise TypeError(f"it gives no cluster, but {made!r}")
        return made
    except UsageError:
        raise
    except Exception as error:
        runner.stop()
        name = getattr(cluster_class, "__name__", cluster_class)
        raise ExecutorStartError(f"{name} could not be started: {_reasons(error)}") from error


def _reasons(error: BaseException) -> str:
    """The error and what it came of: that of a nanny says only that it is one, and its cause what is wrong."""
    told: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(told) < REASONS:
        text = f"{type(cause).__name__}: {cause}"
        if not told or text != told[-1]:
            told.append(text)
        cause = cause.__cause__
    return "; it came of ".join(told)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A Ctrl-C that comes while a local cluster starts is heard once it is up, so that it can be closed as a whole.

    A terminal sends it to all of a process group. What is blocked here is blocked for good in the threads and processes
    that are started here, so the workers never see it: it is the driver that hears it, and that ends them.
    """
    with _put_off():
        if not hasattr(signal, "pthread_sigmask"):
            yield
            return
        resource_tracker.ensure_running()  # its start would unblock the signal again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _put_off() -> Iterator[None]:
    """Put off the first Ctrl-C or SIGTERM to the end: a cluster that has half started cannot be closed.

    Whatever is blocked here, another thread of the program may take the signal. SIGTERM is not blocked for the workers.
    """
    here = threading.current_thread() is threading.main_thread()
    handlers = {int(each): signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM) if here}
    heard: list[tuple[int, FrameType | None]] = []

    def keep(signum: int, frame: FrameType | None) -> None:
        heard.append((signum, frame))
        if len(heard) > 1:
            heeded[signum](signum, frame)

    heeded = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in heeded:
        signal.signal(number, keep)
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, handler)
        if heard:  # also if the start failed, as it does when a signal reaches the workers too
            heeded[heard[0][0]](*heard[0])


async def _result_of(awaitable: Any) -> Any:
    return await awaitable


def _close(cluster: Any, runner: LoopRunner) -> None:
    end = time.monotonic() + CLOSE_SECONDS
    try:
        if isinstance(cluster, distributed.LocalCluster):
            cluster.sync(_end_workers, cluster, callback_timeout=CLOSE_SECONDS)
        left = max(end - time.monotonic(), END_SECONDS)
        closing = cluster.close(timeout=left) if _takes_timeout(cluster) else cluster.close()
        if inspect.isawaitable(closing):
            sync(cluster.loop, _result_of, closing, callback_timeout=left)
    except TimeoutError:
        logger.warning("%s did not close within %s seconds", cluster, CLOSE_SECONDS)
        _kill_processes(cluster)
    finally:
        runner.stop()


def _kill_processes(cluster: Any) -> None:
    """End the worker processes of a local cluster that is too busy to do so itself."""
    for pid in worker_processes(cluster) if isinstance(cluster, distributed.LocalCluster) else ():
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


async def _end_workers(cluster: distributed.LocalCluster) -> None:
    """End the workers of a local cluster, whatever they run.

    Closing the cluster would first move their results to one another, and then wait for calls that run.
    """
    cluster.scale(0)  # so that none is started anew
    nannies = [worker for worker in cluster.workers.values() if isinstance(worker, distributed.Nanny)]
    processes = [nanny.process for nanny in nannies if nanny.process is not None]
    closing = [
        worker.close(timeout=END_SECONDS, reason="penstock-close")
        if isinstance(worker, distributed.Nanny)
        else worker.close(timeout=END_SECONDS, executor_wait=False, reason="penstock-close")
        for worker in cluster.workers.values()
    ]
    closed = asyncio.gather(*closing, return_exceptions=True)
    while not closed.done():
        await _kill_starting(processes)
        await asyncio.wait([closed], timeout=0.02)
    await _kill_replacements(processes)


async def _kill_starting(processes: list[Any]) -> None:
    """End processes that nannies are just starting in the place of others: a nanny would wait until its is up."""
    for each in processes:
        if each.status is distributed.Status.starting and each.process is not None:
            with suppress(ValueError, AssertionError):  # it is no process yet, or no more
                await each.process.kill()


async def _kill_replacements(processes: list[Any]) -> None:
    """End the processes that nannies were starting, in the place of others that had died, while they were closed."""
    quiet = 0
    while quiet < 2:
        begun = [each.process for each in processes if each.process is not None]
        with suppress(ValueError):  # that one has ended by itself meanwhile
            alive = [each for each in begun if each.is_alive()]
            for each in alive:
                await each.kill()
            quiet = 0 if alive else quiet + 1
        await asyncio.sleep(0.02)


def _takes_timeout(cluster: Any) -> bool:
    return "timeout" in inspect.signature(cluster.close).parameters
