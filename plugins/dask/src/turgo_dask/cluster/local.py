"""Defaults of a temporary cluster. Says what a local one can do that others cannot."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import distributed

from turgo_dask.cluster.nanny import WorkerNanny
from turgo_dask.cluster.settings import SharedSettings

LOOPBACK: Mapping[str, Any] = {
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
}
"""All that a temporary local cluster opens listens here; by default its HTTP servers listen everywhere."""

CONFIG: Mapping[str, Any] = {
    # The engine sends a lost call again by itself; dask would let it take four workers along first.
    "distributed.scheduler.allowed-failures": 0,
}
"""What a temporary cluster is configured with, where its user has configured nothing else."""

FIXED_CONFIG: Mapping[str, Any] = {
    # Measured: calls wait at the workers, not at the scheduler, so a worker has the next one at hand. One that adapts
    # has many more calls, and workers to come for them; all that a worker has is lost with it.
    "distributed.scheduler.worker-saturation": float("inf"),
}
"""What one is configured with besides that does not adapt."""

LOCAL_CONFIG: Mapping[str, Any] = {
    # A nanny starts its worker again by itself. Distributed looks 15 s after a loss whether that worker is there; if it
    # happens to be starting anew just then, since it was lost once more, its nanny is closed for good.
    "distributed.deploy.lost-worker-timeout": "365 days",
    # The scheduler, and what looks after the workers, share the cores with the calls. Measured with two workers:
    # an idle cluster takes 7 % of a core by distributed's defaults (3 the scheduler, 2 each worker), half of that so.
    "distributed.admin.tick.interval": "200ms",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.worker.profile.interval": "50ms",
    # Tasks may start processes. What multiprocessing does for daemons at the end of the program, our own close does.
    "distributed.worker.daemon": False,
}
"""What a local one is configured with besides."""

PARENT_VARIABLE = "__DASK_PARENT_PID"

# One of each in a process, as dask has one configuration.
_CONFIG = SharedSettings(CONFIG)
_FIXED_CONFIG = SharedSettings(FIXED_CONFIG)
_LOCAL_CONFIG = SharedSettings(LOCAL_CONFIG)


def is_local(cluster_class: Any) -> bool:
    """Whether it is distributed's LocalCluster, or made from it."""
    return isinstance(cluster_class, type) and issubclass(cluster_class, distributed.LocalCluster)


def is_plain(cluster_class: Any) -> bool:
    """Whether it is distributed's LocalCluster itself: a class that is made from it may take other keywords."""
    return cluster_class is distributed.LocalCluster


def can_kill(cluster_class: Any, cluster_kwargs: Mapping[str, Any] | None) -> bool:
    """Whether its workers will be processes of this machine, each with a nanny that starts another in its place.

    Of a class that is made from LocalCluster that is not known before it is up.
    """
    options = cluster_kwargs or {}
    nanny = options.get("worker_class") or distributed.Nanny
    nannied = isinstance(nanny, type) and issubclass(nanny, distributed.Nanny)
    return is_plain(cluster_class) and nannied and options.get("processes") is not False


def has_nannies(cluster: Any) -> bool:
    """Whether each worker of a cluster that is up is a process with a nanny here, later ones too."""
    made = (getattr(cluster, "new_spec", None) or {}).get("cls")
    return (
        isinstance(cluster, distributed.LocalCluster)
        and isinstance(made, type)
        and issubclass(made, distributed.Nanny)
    )


def worker_processes(cluster: Any) -> set[int]:
    """The ids of the processes of a cluster's workers now, as far as it has nannies here."""
    nannies = [each for each in list(cluster.workers.values()) if isinstance(each, distributed.Nanny)]
    return {nanny.pid for nanny in nannies if nanny.pid is not None}


def local_options(cluster_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords for a LocalCluster: on loopback, and with our nannies, as far as they say nothing else."""
    elsewhere = {"host", "interface", "protocol"} & cluster_kwargs.keys()
    loopback = {key: value for key, value in LOOPBACK.items() if not (key == "host" and elsewhere)}
    in_process = cluster_kwargs.get("processes") is False
    if in_process and not elsewhere:
        del loopback["host"]  # nothing but its HTTP servers listens at all
    nannies = {} if in_process else {"worker_class": WorkerNanny}
    options = {**nannies, **loopback, **cluster_kwargs}
    if options.get("worker_class") is WorkerNanny and "worker_dashboard_address" not in cluster_kwargs:
        del options["worker_dashboard_address"]  # WorkerNanny sees to it
    return options


@contextmanager
def configured(*, local: bool = False, adapts: bool = False) -> Iterator[None]:
    """CONFIG in force, save where the user has set something.

    So is LOCAL_CONFIG for a local cluster, and FIXED_CONFIG unless it adapts.
    """
    with ExitStack() as stack:
        stack.enter_context(_CONFIG.applied())
        if not adapts:
            stack.enter_context(_FIXED_CONFIG.applied())
        if local:
            stack.enter_context(_LOCAL_CONFIG.applied())
            stack.callback(_forget_parent)
        yield


def _forget_parent() -> None:
    """Remove the variable by which workers learn that they may change their titles; a nanny sets it and leaves it."""
    if os.environ.get(PARENT_VARIABLE) == str(os.getpid()):
        del os.environ[PARENT_VARIABLE]
