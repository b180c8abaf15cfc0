"""Which cluster: how a class is found by its path, and how one is opened and closed.

`cluster_class` may be a path (`pkg.Class`, `pkg:Class`), a class, a factory function (a coroutine function
too), or a cluster that is there already, which is then used and left as it is.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import resource_tracker
from types import FrameType
from typing import Any

import dask.config
import distributed
from distributed.deploy import Cluster
from distributed.utils import LoopRunner, sync

from penstock.errors import ExecutorStartError, OptionError

logger = logging.getLogger(__name__)

NAME = "dask"
CLOSE_SECONDS = 4.0
"""How long a temporary cluster may take to close."""
END_SECONDS = 1.0
"""How long one of its workers may take to end by itself, before it is ended."""

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
    # Its remedy, `scatter`, is not in the hands of who writes a flow.
    "distributed.admin.large-graph-warning-threshold": "1TB",
}
"""What a temporary cluster is configured with, where its user has configured nothing else."""


def is_local(cluster_class: Any) -> bool:
    """Whether it is distributed's LocalCluster, or made from it."""
    return isinstance(cluster_class, type) and issubclass(cluster_class, distributed.LocalCluster)


def local_options(cluster_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords for a LocalCluster: on loopback, as far as they say nothing else."""
    elsewhere = {"host", "interface", "protocol"} & cluster_kwargs.keys()
    loopback = {key: value for key, value in LOOPBACK.items() if not (key == "host" and elsewhere)}
    in_process = cluster_kwargs.get("processes") is False and not elsewhere
    if in_process:
        del loopback["host"]  # nothing but its HTTP servers listens at all
    return {**loopback, **cluster_kwargs}


def find_class(path: Any) -> Any:
    """What the path leads to; anything but a string is given back. Raises OptionError with the reason."""
    if not isinstance(path, str):
        if isinstance(path, Cluster) or callable(path):
            return path
        raise _wrong(f"cluster_class must be a path, a class, a function or a cluster, not {path!r}")
    module_name, _, name = path.replace(":", ".").rpartition(".")
    if not module_name or not name:
        raise _wrong(f"cluster_class {path!r} is no path: write 'package.Class' or 'package:Class'")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        raise _wrong(_missing(path, module_name, missing)) from missing
    except ImportError as failed:
        raise _wrong(f"cluster_class {path!r}: {module_name} does not import: {failed}") from failed
    if not hasattr(found, name):
        classes = sorted(word for word in vars(found) if word.endswith("Cluster"))
        raise _wrong(
            f"cluster_class {path!r}: {module_name} has no {name}"
            + (f"; it has {classes}" if classes else "")
        )
    return getattr(found, name)


def _missing(path: str, module_name: str, missing: ModuleNotFoundError) -> str:
    package = (missing.name or module_name).partition(".")[0]
    if package == module_name.partition(".")[0] != missing.name:
        return f"cluster_class {path!r}: there is no module {missing.name!r}"
    return (
        f"cluster_class {path!r} needs the package {package!r}, which is not installed here: "
        f"pip install {package.replace('_', '-')}"
    )


def _wrong(message: str) -> OptionError:
    return OptionError(message, option="cluster_class", executor=NAME)


@contextmanager
def configured() -> Iterator[None]:
    """CONFIG in force, save where the user has set something."""
    chosen = {key: value for key, value in CONFIG.items() if not _set_by_user(key)}
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
        return sync(runner.loop, _result_of, cluster) if inspect.iscoroutine(cluster) else cluster
    except OptionError:
        raise
    except Exception as error:
        runner.stop()
        name = getattr(cluster_class, "__name__", cluster_class)
        raise ExecutorStartError(f"{name} could not be started: {type(error).__name__}: {error}") from error


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
    """Put off the first Ctrl-C to the end: whatever is blocked here, another thread of the program may take it."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    heard: list[tuple[int, FrameType | None]] = []

    def keep(signum: int, frame: FrameType | None) -> None:
        heard.append((signum, frame))
        if len(heard) > 1:
            handler(signum, frame)

    signal.signal(signal.SIGINT, keep)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if heard:
        handler(*heard[0])


async def _result_of(awaitable: Any) -> Any:
    return await awaitable


def _close(cluster: Any, runner: LoopRunner) -> None:
    try:
        if isinstance(cluster, distributed.LocalCluster):
            cluster.sync(_end_workers, cluster, callback_timeout=CLOSE_SECONDS)
        closing = cluster.close(timeout=CLOSE_SECONDS) if _takes_timeout(cluster) else cluster.close()
        if inspect.isawaitable(closing):
            sync(cluster.loop, _result_of, closing, callback_timeout=CLOSE_SECONDS)
    except TimeoutError:
        logger.warning("%s did not close within %s seconds", cluster, CLOSE_SECONDS)
    finally:
        runner.stop()


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
    await asyncio.gather(*closing, return_exceptions=True)
    await _kill_replacements(processes)


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
