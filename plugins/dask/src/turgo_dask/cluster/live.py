"""A cluster object that is up. Says how many workers it has asked for, and how a client reaches it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import distributed
from distributed.deploy import Cluster
from distributed.utils import sync

from turgo.errors import ExecutorStartError
from turgo_dask.cluster.teardown import result_of


def progress_of(cluster: Any, *, shown: int = 3) -> Iterator[str]:
    """How far a cluster is with its workers, in sentences, as far as it says; the state of the first `shown`."""
    if cluster is None:
        return
    plan, requested = (len(getattr(cluster, name, None) or ()) for name in ("plan", "requested"))
    name = type(cluster).__name__
    if not plan:
        yield f"{name} was asked for none: give n_workers among cluster_kwargs, or adapt_kwargs"
        return
    yield f"{name} was asked for {plan} and has requested {requested}"
    for key, worker in list((getattr(cluster, "workers", None) or {}).items())[:shown]:
        job = getattr(worker, "job_id", None)
        status = getattr(worker, "status", "")
        if job:  # it counts as running once it is submitted, and may be queued
            yield f"worker {key}: submitted as job {job}, which may still be queued"
        else:
            yield f"worker {key}: {getattr(status, 'name', status)}"


def jobs_of(cluster: Any) -> list[str]:
    """The ids of the jobs that a cluster has submitted to a queue, if it has one."""
    workers = getattr(cluster, "workers", None)
    found = [getattr(each, "job_id", None) for each in (list(workers.values()) if workers else ())]
    return [str(each) for each in found if each]


def target_of(cluster: Any) -> Any:
    """What a client connects to: the cluster itself, or the address of one that lives in the caller's event loop.

    Raises ExecutorStartError if that loop is the one that would have to wait here.
    """
    if not getattr(cluster, "asynchronous", False):
        return cluster
    with suppress(RuntimeError):
        if asyncio.get_running_loop() is getattr(cluster.loop, "asyncio_loop", None):
            raise ExecutorStartError(
                "this cluster runs in the event loop that would wait for it here, so that both would stand still: "
                "write `await asyncio.to_thread(flow.run, …)`"
            )
    return str(cluster.scheduler_address)


def adapts(cluster: Any) -> bool:
    """Whether its workers come and go by themselves now."""
    return getattr(getattr(cluster, "_adaptive", None), "state", None) in ("starting", "running")


def is_adaptive(cluster: Any, adapt_kwargs: Mapping[str, Any]) -> bool:
    """Whether its first worker comes only once there is work."""
    if adapt_kwargs:
        return not (adapt_kwargs.get("minimum") or adapt_kwargs.get("minimum_jobs"))
    return adapts(cluster)


@contextmanager
def scaling_restored(cluster: Any) -> Iterator[None]:
    """The cluster has as many workers afterwards as before, and adapts as before, or not at all."""
    before = getattr(cluster, "_adaptive", None)
    adapted = adapts(cluster)
    options = dict(getattr(cluster, "_adaptive_options", {}))
    size = len(getattr(cluster, "plan", ()))
    try:
        yield
    finally:
        ours = getattr(cluster, "_adaptive", None)
        if ours is not None and ours is not before:
            cluster._adaptive_options = options
            if adapted:
                Cluster.adapt(cluster, Adaptive=type(before))  # it takes the options that are there
            else:
                ours.stop()
                cluster._adaptive = before
        if not adapted and hasattr(cluster, "scale"):
            _scale(cluster, size)


def _scale(cluster: Any, size: int) -> None:
    if len(getattr(cluster, "plan", ())) != size:
        scaling = cluster.scale(size)
        if inspect.isawaitable(scaling):
            sync(cluster.loop, result_of, scaling)


def credentials(security: Any) -> Any:
    """What distributed takes: a Security, made of its keywords where it was given by them."""
    return distributed.Security(**security) if isinstance(security, Mapping) else security
