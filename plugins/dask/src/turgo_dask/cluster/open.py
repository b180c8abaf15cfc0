"""Opens the cluster that an executor describes. It takes the one that is live already, if there is one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from distributed.deploy import Cluster
from distributed.utils import sync

from turgo.errors import ExecutorStartError
from turgo.main_module import require_guard
from turgo_dask.cluster.class_path import check_adapting, check_keywords, keywords_named_by
from turgo_dask.cluster.deadline import Deadline
from turgo_dask.cluster.live import credentials, scaling_restored
from turgo_dask.cluster.local import LOOPBACK, configured, is_local, is_plain, local_options
from turgo_dask.cluster.scratch import scratch_folder
from turgo_dask.cluster.teardown import result_of
from turgo_dask.cluster.temporary import opened


def open_cluster(
    stack: ExitStack,
    deadline: Deadline,
    *,
    cluster_class: Any,
    cluster_kwargs: Mapping[str, Any],
    adapt_kwargs: Mapping[str, Any],
    security: Any,
) -> Any:
    """The live cluster, closed by `stack` if it was started here; None where only an address is known."""
    if cluster_class is None:
        return None
    live = cluster_class
    if not isinstance(live, Cluster):
        check_keywords(cluster_class, cluster_kwargs)
        if adapt_kwargs and isinstance(cluster_class, type):
            check_adapting(cluster_class, adapt_kwargs)
        options = _start_options(cluster_class, cluster_kwargs, security)
        stack.enter_context(configured(local=is_local(cluster_class), adapts=bool(adapt_kwargs)))
        if is_plain(cluster_class):
            options = stack.enter_context(scratch_folder(options))
        live = stack.enter_context(opened(cluster_class, options, deadline))
    elif adapt_kwargs:
        stack.enter_context(scaling_restored(live))
    if adapt_kwargs:
        _adapt(live, adapt_kwargs)
    return live


def _start_options(cluster_class: Any, cluster_kwargs: Mapping[str, Any], security: Any) -> dict[str, Any]:
    """The keywords that the class is called with. Raises ExecutorStartError if its processes cannot be started."""
    options = dict(cluster_kwargs)
    if is_plain(cluster_class):
        if options.get("processes") is not False:
            require_guard()
        options = local_options(options)
    elif is_local(cluster_class):
        taken = keywords_named_by(cluster_class)
        options = {
            key: value for key, value in {**LOOPBACK, **options}.items() if key in options or key in taken
        }
    if security is not None and "security" not in options:
        check_keywords(cluster_class, ["security"], option="security")
        options["security"] = credentials(security)
    return options


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
