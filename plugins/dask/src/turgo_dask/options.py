"""`DaskOptions`: the checked options of an executor, as a frozen record.

    DaskExecutor(…) ──> DaskOptions.checked(…) ──> validators ──> DaskOptions ──> session

What opens clusters and connections takes single values of it, and does not know it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import attrs
from distributed.deploy import Cluster

from turgo_dask import validators
from turgo_dask.cluster.local import can_kill, is_plain
from turgo_dask.connection.connect import LOCATION_OPTIONS

CAPABILITIES = frozenset({"parallel", "keeps_results_remote", "resources"})
"""What the executor can do on any cluster."""


def capabilities_of(*, in_process: bool, killable: bool) -> frozenset[str]:
    """What it can do. in_process: calls run in threads of the driver; killable: each worker is a process of ours."""
    found = CAPABILITIES if in_process else CAPABILITIES | {"distributed", "survives_worker_loss"}
    return found | {"hard_timeouts"} if killable else found


@attrs.frozen(kw_only=True)
class DaskOptions:
    """What a DaskExecutor was given, with defaults in the place of what was not.

    cluster_class: of the cluster to start, or a live cluster; None where an address or a scheduler file is given.
    cluster_kwargs: None there too.
    """

    address: str | None
    cluster_class: Any
    cluster_kwargs: Mapping[str, Any] | None
    adapt_kwargs: Mapping[str, Any]
    client_kwargs: Mapping[str, Any]
    debug: bool
    scheduler_file: str | None
    security: Any
    performance_report: str | None
    start_timeout: float
    resources_timeout: float | None
    scheduler_timeout: float
    check_packages: tuple[str, ...]

    @classmethod
    def checked(
        cls, *, cluster_class: Any, cluster_kwargs: Any, adapt_kwargs: Any, client_kwargs: Any, **given: Any
    ) -> DaskOptions:
        """The record of what was given. Raises OptionError for what does not fit together."""
        described = {
            "cluster_class": cluster_class,
            "cluster_kwargs": cluster_kwargs,
            "adapt_kwargs": adapt_kwargs,
        }
        validators.check_mappings(
            cluster_kwargs=cluster_kwargs, adapt_kwargs=adapt_kwargs, client_kwargs=client_kwargs
        )
        client_kwargs = validators.checked_client(client_kwargs)
        location = validators.checked_location(
            given.pop("address"), given.pop("scheduler_file"), client_kwargs, described
        )
        debug = validators.checked_debug(given.pop("debug"))
        started = validators.checked_cluster(cluster_class, cluster_kwargs, location, debug=debug)
        security = validators.checked_security(given.pop("security"), temporary=started[0] is not None)
        return cls(
            **location,
            cluster_class=started[0],
            cluster_kwargs=started[1],
            adapt_kwargs=validators.checked_adapting(adapt_kwargs),
            client_kwargs=client_kwargs,
            debug=debug,
            security=security,
            **validators.checked_rest(**given),
        )

    @property
    def connection_kwargs(self) -> dict[str, Any]:
        """The keywords of the client that do not say where the scheduler is."""
        return {name: value for name, value in self.client_kwargs.items() if name not in LOCATION_OPTIONS}

    @property
    def temporary(self) -> bool:
        """Whether the cluster is started and closed with the executor."""
        return self.cluster_class is not None and not isinstance(self.cluster_class, Cluster)

    @property
    def capabilities(self) -> frozenset[str]:
        """What the executor can do, as far as that is known before its cluster is up."""
        if is_plain(self.cluster_class) and (self.cluster_kwargs or {}).get("processes") is False:
            return capabilities_of(in_process=True, killable=False)
        killable = can_kill(self.cluster_class, self.cluster_kwargs)
        return capabilities_of(in_process=False, killable=killable)

    @property
    def log_level(self) -> int:
        """The level of the first lines that distributed may log about this executor's own cluster and client."""
        silence = (self.cluster_kwargs or {}).get("silence_logs", logging.WARNING)
        level = logging.getLevelNamesMapping().get(str(silence).upper(), silence)
        return level if isinstance(level, int) else logging.WARNING

    @property
    def workers_timeout(self) -> float | None:
        """Seconds that calls wait while there is no worker at all; None for ever, as where workers come with calls."""
        adaptive = self.adapt_kwargs or getattr(self.cluster_class, "_adaptive", None) is not None
        if adaptive or self.resources_timeout is None:
            return None
        return max(self.start_timeout, self.resources_timeout)
