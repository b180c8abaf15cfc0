"""The resources that a cluster's workers offer, or will offer. An example is `GPU` of `resources={"GPU": 1}`.

before the start     what the keywords of a LocalCluster say
a live cluster       what it starts its workers with, and what those that are there offer
an address           what the workers that are there offer
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dask.config
import distributed

from turgo_dask.cluster.local import is_local

WORKER_CLASSES = (distributed.Worker, distributed.Nanny)
"""Workers whose keyword `resources` is all that decides what they offer, besides dask's configuration."""


def expected_resources(cluster_class: Any, cluster_kwargs: Mapping[str, Any] | None) -> frozenset[str] | None:
    """The names of what the workers of a cluster will offer, before it is started; None if nobody can know."""
    if is_local(cluster_class):
        return _named((cluster_kwargs or {}).get("resources"))
    return (
        None if cluster_class is None or isinstance(cluster_class, type) else planned_resources(cluster_class)
    )


def planned_resources(cluster: Any) -> frozenset[str] | None:
    """What a live cluster starts its workers with, those of an adaptive one too; None if it does not say."""
    specs = [*(getattr(cluster, "worker_spec", None) or {}).values(), getattr(cluster, "new_spec", None)]
    known = [spec for spec in specs if isinstance(spec, Mapping)]
    if not known or not all(spec.get("cls") in WORKER_CLASSES for spec in known):
        return None
    return frozenset().union(*(_named(spec.get("options", {}).get("resources")) for spec in known))


def present_resources(workers: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """What the workers offer that are there, as the scheduler describes them."""
    return frozenset(name for worker in workers.values() for name in worker.get("resources") or {})


def offered_resources(
    client: distributed.Client, cluster: Any, adapt_kwargs: Mapping[str, Any]
) -> frozenset[str] | None:
    """What the workers offer and those to come will offer; None as long as nobody can know.

    cluster: the live one; None where only an address is known. adapt_kwargs: by which it was made to adapt, if it was.
    """
    there = client.sync(client.scheduler.identity, n_workers=-1)["workers"]
    planned = planned_resources(cluster)
    grows = cluster is not None and (
        bool(adapt_kwargs)
        or getattr(cluster, "_adaptive", None) is not None
        or len(there) < len(getattr(cluster, "plan", None) or ())
    )
    if planned is None and (grows or not there):
        return None
    return present_resources(there) | (planned or frozenset())


def _named(resources: Any) -> frozenset[str]:
    return frozenset(resources or dask.config.get("distributed.worker.resources", None) or {})
