"""Opening what a DaskExecutor describes: its cluster, if that is its own, and a client of it."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from distributed.deploy import Cluster
from distributed.utils import sync

from penstock.errors import ExecutorStartError
from penstock.main_module import require_guard
from penstock_dask import cluster as clusters
from penstock_dask.client import Client
from penstock_dask.connecting import Deadline, address_in, address_of, connect, secure
from penstock_dask.ending import result_of
from penstock_dask.finding import check_adapting, check_keywords
from penstock_dask.temporary import opened

if TYPE_CHECKING:
    from penstock_dask.executor import DaskExecutor

_SEND_SECONDS = 0.002
"""How long messages to the scheduler are held back; by default it is 10 ms, which each link of a chain pays."""


def open_cluster(executor: DaskExecutor, stack: ExitStack, deadline: Deadline) -> Any:
    """The live cluster, closed by `stack` if it was started here; None where only an address is known."""
    cluster = executor.cluster_class
    if cluster is None:
        return None
    if not isinstance(cluster, Cluster):
        check_keywords(cluster, executor.cluster_kwargs)
        if executor.adapt_kwargs and isinstance(cluster, type):
            check_adapting(cluster, executor.adapt_kwargs)
        stack.enter_context(clusters.configured(local=clusters.is_local(cluster)))
        options = dict(executor.cluster_kwargs)
        if clusters.is_local(cluster):
            if options.get("processes") is not False:
                require_guard()
            options = clusters.local_options(options)
        if executor.security is not None:
            options.setdefault("security", secure(executor.security))
        cluster = stack.enter_context(opened(cluster, options, deadline))
    if executor.adapt_kwargs:
        _adapt(cluster, executor.adapt_kwargs)
    return cluster


def _adapt(cluster: Any, adapt_kwargs: Mapping[str, Any]) -> None:
    """Let the workers of a live cluster come and go. Raises OptionError, or ExecutorStartError with the reason."""
    check_adapting(cluster, adapt_kwargs)
    try:
        adapting = cluster.adapt(**adapt_kwargs)
        if inspect.isawaitable(adapting):
            sync(cluster.loop, result_of, adapting)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ExecutorStartError(f"adapt of {type(cluster).__name__} failed: {reason}") from error


def open_client(executor: DaskExecutor, live: Any, deadline: Deadline) -> Client:
    """A client of the live cluster, or of the scheduler at the address or in the file. Raises ExecutorStartError."""
    options = dict(executor.client_kwargs)
    security = executor.security if live is None else live.security
    if security:
        options.setdefault("security", secure(security))
    where = address_of(live) if live is not None else executor.address
    if where is None:
        assert executor.scheduler_file is not None
        where = address_in(executor.scheduler_file, deadline)
    client = connect(where, options, deadline)
    client.scheduler_comm.interval = min(_SEND_SECONDS, client.scheduler_comm.interval)
    return client


def dashboard_of(client: Client, live: Any) -> str | None:
    """Where the dashboard is; None if there is none, or nothing to see on it, as a cluster of ours has no bokeh."""
    if live is not None and importlib.util.find_spec("bokeh") is None:
        return None
    if not client.scheduler_info()["services"].get("dashboard"):
        return None
    link = str(client.dashboard_link)
    scheduler: Any = getattr(live, "scheduler", None)
    if getattr(scheduler, "http_server", None) is not None and str(scheduler.address).startswith("inproc:"):
        # It has the machine's name there, whatever the dashboard listens on.
        host = link.partition("://")[2].partition(":")[0]
        return link.replace(host, "127.0.0.1", 1)
    return link
