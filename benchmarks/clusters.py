"""Clusters of two worker processes on loopback, for what is measured on Dask."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask.config
from distributed import Client, LocalCluster

from turgo_dask import DaskExecutor

WORKERS = 2
LOOPBACK = {
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
    "worker_dashboard_address": "127.0.0.1:0",
}
OPTIONS: dict[str, Any] = {
    "n_workers": WORKERS,
    "threads_per_worker": 1,
    "silence_logs": logging.CRITICAL,
    **LOOPBACK,
}


@contextmanager
def cluster(
    saturation: float | None = None, threads_per_worker: int = 1
) -> Iterator[tuple[DaskExecutor, Client]]:
    """A cluster of two worker processes, with an executor that is started on it and a client beside.

    saturation: distributed's `worker-saturation`; its default (1.1) if not given.
    """
    key = "distributed.scheduler.worker-saturation"
    settings: dict[str, Any] = {"distributed.admin.large-graph-warning-threshold": "1TB"}
    if saturation is not None:
        settings[key] = saturation
    with (
        dask.config.set(settings),
        LocalCluster(**{**OPTIONS, "threads_per_worker": threads_per_worker}) as local,
        Client(local, set_as_default=False) as client,
        DaskExecutor(cluster_class=local).start() as executor,
    ):
        yield executor, client
