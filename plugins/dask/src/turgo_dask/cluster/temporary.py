"""Opens a temporary cluster and closes it in limited time. What its workers do cannot delay that."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import distributed
from distributed.deploy import SpecCluster
from distributed.utils import LoopRunner, sync

from turgo.errors import ExecutorStartError, UsageError
from turgo_dask.cluster.child import start_failure
from turgo_dask.cluster.class_path import keywords_named_by, nearest_keyword
from turgo_dask.cluster.deadline import START_TIMEOUT_HINT, Deadline
from turgo_dask.cluster.local import has_nannies, is_local, worker_processes
from turgo_dask.cluster.nanny import kill_with_descendants
from turgo_dask.cluster.signals import at_exit, deferred_signals, sigint_blocked
from turgo_dask.cluster.start import ClusterStart, LateStartError
from turgo_dask.cluster.teardown import end, kill_begun, result_of

logger = logging.getLogger(__name__)

CLUSTER_CLOSE_SECONDS = 4.0
"""How long a temporary cluster may take to close."""
WORKER_END_SECONDS = 1.0
"""How long one of its workers may take to end by itself, before it is ended."""


@contextmanager
def opened(
    cluster_class: Callable[..., Any], cluster_kwargs: Mapping[str, Any], deadline: Deadline
) -> Iterator[Any]:
    """A temporary cluster, closed on leaving within CLUSTER_CLOSE_SECONDS. Raises ExecutorStartError."""
    runner, process = LoopRunner(asynchronous=False), os.getpid()
    cluster = None
    try:
        if is_local(cluster_class):
            with deferred_signals():
                cluster = _local(cluster_class, cluster_kwargs, runner, deadline)
        else:
            runner.start()
            starting = ClusterStart(partial(cluster_class, **cluster_kwargs), runner)
            cluster = _started(cluster_class, starting, deadline)
        with at_exit(partial(_end_at_exit, cluster, runner)):
            yield cluster
    finally:
        if cluster is not None and os.getpid() == process and not _ended(cluster):
            _close(cluster, runner)


def _local(
    cluster_class: Any, cluster_kwargs: Mapping[str, Any], runner: LoopRunner, deadline: Deadline
) -> Any:
    """A local cluster whose processes do not receive a Ctrl-C."""
    with (
        sigint_blocked()
    ):  # the threads that start inside inherit it, and so do the processes that they start
        runner.start()
        ours = {"loop": runner.loop} if _names(cluster_class, "loop") else {}
        starting = ClusterStart(partial(cluster_class, **{**ours, **cluster_kwargs}), runner)
    return _started(cluster_class, starting, deadline)


def _started(cluster_class: Callable[..., Any], starting: ClusterStart, deadline: Deadline) -> Any:
    """What the class, function or coroutine function gives, once it is up; else nothing of it is left.

    Raises ExecutorStartError.
    """
    name = getattr(cluster_class, "__name__", str(cluster_class))
    try:
        with at_exit(starting.give_up):
            made = starting.wait(deadline, name)
        if not hasattr(made, "scheduler_address"):
            raise TypeError(f"it gives no cluster, but {made!r}")
        return made
    except LateStartError as error:
        seen = starting.progress()
        starting.give_up()
        raise ExecutorStartError(
            f"{name} did not come up within {deadline.seconds:g} s. {'. '.join([*seen, START_TIMEOUT_HINT])}"
        ) from error
    except BaseException as error:
        starting.give_up()
        if isinstance(error, UsageError) or not isinstance(error, Exception):
            raise
        failure = start_failure() if is_local(cluster_class) and _is_of_a_nanny(error) else None
        if failure is not None:  # the nanny's own error says nothing more
            raise ExecutorStartError(f"{name} could not be started: {failure}") from None
        reasons = _reasons(error)
        hint = nearest_keyword(cluster_class, reasons)
        raise ExecutorStartError(f"{name} could not be started: {reasons}{hint}") from error


def _is_of_a_nanny(error: BaseException) -> bool:
    """Whether a worker's process has ended before it said anything."""
    return "Nanny failed to start worker process" in _reasons(error)


def _reasons(error: BaseException, most: int = 4) -> str:
    """The error and its causes: a nanny's error says only that there was one, and its cause what is wrong."""
    reasons: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(reasons) < most:
        text = f"{type(cause).__name__}: {cause}".rstrip(".")
        if not reasons or text != reasons[-1]:
            reasons.append(text)
        cause = cause.__cause__
    return "; it came of ".join(reasons)


def _close(cluster: Any, runner: LoopRunner) -> None:
    """Close the cluster within CLUSTER_CLOSE_SECONDS. One that takes longer is ended: the processes of a local one are
    killed, and others are closed piece by piece, in a few seconds more.
    """
    until, closed = time.monotonic() + CLUSTER_CLOSE_SECONDS, False
    try:
        if isinstance(cluster, distributed.LocalCluster):
            cluster.sync(_end_workers, cluster, callback_timeout=CLUSTER_CLOSE_SECONDS)
        left = max(until - time.monotonic(), WORKER_END_SECONDS)
        closing = cluster.close(timeout=left) if _names(cluster.close, "timeout") else cluster.close()
        if inspect.isawaitable(closing):
            sync(cluster.loop, result_of, closing, callback_timeout=left)
        closed = True
    except TimeoutError:
        logger.warning("%s did not close within %s seconds", cluster, CLUSTER_CLOSE_SECONDS)
        if isinstance(cluster, distributed.LocalCluster):
            _kill_processes(cluster)
        elif isinstance(cluster, SpecCluster):
            end([cluster], runner)
    finally:
        with suppress(TimeoutError):
            runner.stop(timeout=WORKER_END_SECONDS)
        if not closed and isinstance(cluster, distributed.LocalCluster):
            kill_begun(cluster)


def _ended(cluster: Any) -> bool:
    """Whether it has been ended already, as the program ends."""
    return has_nannies(cluster) and cluster.status is distributed.Status.closed


def _end_at_exit(cluster: Any, runner: LoopRunner) -> None:
    """End the cluster of an executor that is never left, as the program ends: nobody needs its results any more.

    The threads of pools have ended by then, so that a close would wait for them.
    """
    if not has_nannies(cluster):
        _close(cluster, runner)
        return
    cluster.status = (
        distributed.Status.closed
    )  # else distributed closes it once more, and starts workers anew
    for nanny in list(cluster.workers.values()):
        nanny.status = distributed.Status.closed
    _kill_processes(cluster)
    with suppress(TimeoutError):
        runner.stop(timeout=WORKER_END_SECONDS)


def _kill_processes(cluster: Any) -> None:
    """End the worker processes of a local cluster that is too busy to do so itself."""
    for pid in worker_processes(cluster) if isinstance(cluster, distributed.LocalCluster) else ():
        kill_with_descendants(pid)


async def _end_workers(cluster: distributed.LocalCluster) -> None:
    """End the workers of a local cluster, whatever they run.

    Closing the cluster would first move their results to one another, and then wait for calls that run.
    """
    if cluster._adaptive is not None:
        cluster._adaptive.stop()  # before the next line, or it would ask for workers again
    cluster.scale(0)  # so that none is started anew
    closing: dict[Any, asyncio.Future[Any]] = {}
    processes: set[Any] = set()
    while _closes_more(cluster, closing) or not all(each.done() for each in closing.values()):
        nannies = [worker for worker in closing if isinstance(worker, distributed.Nanny)]
        processes.update(nanny.process for nanny in nannies if nanny.process is not None)
        await _kill_starting(processes)
        await asyncio.wait(closing.values(), timeout=0.02)
    await asyncio.gather(*closing.values(), return_exceptions=True)
    await _kill_replacements(processes)


def _closes_more(cluster: distributed.LocalCluster, closing: dict[Any, asyncio.Future[Any]]) -> bool:
    """Begin to close the workers that are not yet; whether there were any.

    A cluster that adapts may just be at it, and have one that is not up and that nobody knows of.
    """
    workers = {*cluster.workers.values(), *cluster._created} - closing.keys()
    for worker in workers:
        how = {} if isinstance(worker, distributed.Nanny) else {"executor_wait": False}
        close = worker.close(timeout=WORKER_END_SECONDS, reason="turgo-close", **how)
        closing[worker] = asyncio.ensure_future(close)
    return bool(workers)


async def _kill_starting(processes: set[Any]) -> None:
    """End processes that nannies are just starting in the place of others: a nanny would wait until its is up."""
    for each in processes:
        if each.status is distributed.Status.starting and each.process is not None:
            with suppress(ValueError, AssertionError):  # it is no process yet, or no more
                await each.process.kill()


async def _kill_replacements(processes: set[Any]) -> None:
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


def _names(called: Callable[..., Any], keyword: str) -> bool:
    """Whether it has a parameter of that name."""
    return keyword in keywords_named_by(called)
