"""What a temporary cluster is made with, and what a local one can do that others cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dask.config
import distributed

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
    """Whether a file or the environment says something of it, or a program has set another value than dask's own."""
    default = next(
        (found for config in dask.config.defaults if (found := dask.config.get(key, None, config=config))),
        None,
    )
    if dask.config.get(key, default) != default:
        return True
    return dask.config.get(key, None, config=dask.config.collect()) is not None
