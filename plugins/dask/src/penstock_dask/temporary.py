"""A temporary cluster: opened, and closed in limited time whatever its workers do."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import distributed
from distributed.utils import LoopRunner, sync

from penstock.errors import ExecutorStartError, UsageError
from penstock_dask.cluster import is_local, worker_processes
from penstock_dask.connecting import MORE, Deadline, seen_of
from penstock_dask.ending import result_of
from penstock_dask.interrupts import at_exit, put_off, unheard
from penstock_dask.starting import LateError, Starting

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 4.0
"""How long a temporary cluster may take to close."""
END_SECONDS = 1.0
"""How long one of its workers may take to end by itself, before it is ended."""
REASONS = 4
"""How many errors, of which each came of the next, are told of."""


@contextmanager
def opened(
    cluster_class: Callable[..., Any], cluster_kwargs: Mapping[str, Any], deadline: Deadline
) -> Iterator[Any]:
    """A temporary cluster, closed on leaving within CLOSE_SECONDS. Raises ExecutorStartError."""
    runner = LoopRunner(asynchronous=False)
    cluster = None
    try:
        if is_local(cluster_class):
            with put_off():
                cluster = _local(cluster_class, cluster_kwargs, runner, deadline)
        else:
            runner.start()
            cluster = _started(cluster_class, cluster_kwargs, runner, deadline)
        with at_exit(partial(_close, cluster, runner)):
            yield cluster
    finally:
        if cluster is not None:
            _close(cluster, runner)


def _local(
    cluster_class: Any, cluster_kwargs: Mapping[str, Any], runner: LoopRunner, deadline: Deadline
) -> Any:
    """A local cluster whose processes do not hear a Ctrl-C."""
    with unheard():
        runner.start()
    ours = {"loop": runner.loop} if _takes(cluster_class, "loop", "VAR_KEYWORD") else {}
    return _started(cluster_class, {**ours, **cluster_kwargs}, runner, deadline)


def _started(
    cluster_class: Callable[..., Any],
    cluster_kwargs: Mapping[str, Any],
    runner: LoopRunner,
    deadline: Deadline,
) -> Any:
    """What the class, function or coroutine function gives, once it is up; else nothing of it is left.

    Raises ExecutorStartError.
    """
    name = getattr(cluster_class, "__name__", str(cluster_class))
    starting = Starting(partial(cluster_class, **cluster_kwargs), runner)
    try:
        with at_exit(starting.give_up):
            made = starting.wait(deadline.left)
        if not hasattr(made, "scheduler_address"):
            raise TypeError(f"it gives no cluster, but {made!r}")
        return made
    except LateError as error:
        seen = [told for cluster in starting.begun() for told in seen_of(cluster)]
        starting.give_up()
        raise ExecutorStartError(
            f"{name} did not come up within {deadline.seconds:g} s. {'. '.join([*seen, MORE])}"
        ) from error
    except BaseException as error:
        starting.give_up()
        if isinstance(error, UsageError) or not isinstance(error, Exception):
            raise
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


def _close(cluster: Any, runner: LoopRunner) -> None:
    """Close the cluster within CLOSE_SECONDS; kill the processes of a local one that takes longer."""
    end = time.monotonic() + CLOSE_SECONDS
    try:
        if isinstance(cluster, distributed.LocalCluster):
            cluster.sync(_end_workers, cluster, callback_timeout=CLOSE_SECONDS)
        left = max(end - time.monotonic(), END_SECONDS)
        closing = cluster.close(timeout=left) if _takes(cluster.close, "timeout") else cluster.close()
        if inspect.isawaitable(closing):
            sync(cluster.loop, result_of, closing, callback_timeout=left)
    except TimeoutError:
        logger.warning("%s did not close within %s seconds", cluster, CLOSE_SECONDS)
        _kill_processes(cluster)
    finally:
        with suppress(TimeoutError):
            runner.stop(timeout=END_SECONDS)


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


def _takes(called: Callable[..., Any], keyword: str, kind: str = "") -> bool:
    """Whether it has a parameter of that name, or one of that kind."""
    parameters = inspect.signature(called).parameters
    return keyword in parameters or any(each.kind.name == kind for each in parameters.values())
