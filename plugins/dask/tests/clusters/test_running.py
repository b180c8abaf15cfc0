"""Clusters that run already: they are used by address, by file or by variable, and are afterwards as they were."""

from __future__ import annotations

from typing import Any

import distributed
import pytest


def state_of(address: str, **options: Any) -> dict[str, Any]:
    """What somebody who looks at the scheduler and its workers sees: keys, clients, plugins, workers."""

    def at_the_scheduler(dask_scheduler: Any) -> dict[str, Any]:
        return {
            "tasks": sorted(str(key) for key in dask_scheduler.tasks),
            "clients": len(dask_scheduler.clients),
            "plugins": sorted(dask_scheduler.plugins),
            "workers": sorted(dask_scheduler.workers),
            "variables": sorted(dask_scheduler.extensions["variables"].variables),
        }

    def at_a_worker(dask_worker: Any) -> tuple[list[str], list[str]]:
        return sorted(map(str, dask_worker.data)), sorted(dask_worker.plugins)

    with distributed.Client(address, set_as_default=False, **options) as client:
        return {**client.run_on_scheduler(at_the_scheduler), "at the workers": client.run(at_a_worker)}


def as_it_was(tools: Any, before: dict[str, Any], address: str, **options: Any) -> None:
    """It is again what it was before, once the news has gone round."""
    now: dict[str, Any] = {}

    def same() -> bool:
        now.update(state_of(address, **options))
        return now == before

    try:
        tools.until(same, "the cluster is as it was")
    except AssertionError:
        assert now == before  # says where they differ
        raise


@pytest.fixture
def address(cluster: Any, tools: Any) -> str:
    """A scheduler and two workers, started from the shell."""
    found: str = cluster.scheduler()
    cluster.worker()
    cluster.worker()
    tools.until(lambda: len(state_of(found)["workers"]) == 2, "two workers", 60)
    return found


@pytest.mark.parametrize("way", ["address", "file", "variable"])
def test_a_scheduler_from_the_shell(cluster: Any, tools: Any, address: str, way: str) -> None:
    """By each of the three ways to say where it is."""
    before = state_of(address)
    if way == "address":
        cluster.configure("running", {"address": address})
    elif way == "file":
        cluster.configure("by_file", {"scheduler_file": str(cluster.folder / "scheduler.json")})
    else:
        cluster.configure("anywhere")
        cluster.variables["DASK_SCHEDULER_ADDRESS"] = address
    facts = cluster.everything()
    assert facts["apart"] and len(facts["workers"]) == 2
    as_it_was(tools, before, address)


def test_a_scheduler_that_speaks_tls(cluster: Any, tools: Any) -> None:
    """With its credentials the flow runs; with those of another authority, with none and without TLS it is refused."""
    tools.need("cryptography")
    security, files = tools.credentials(cluster.folder / "right")
    options = tools.tls_options(files)
    address = cluster.scheduler("--protocol", "tls", *options)
    cluster.worker(*options)
    tools.until(lambda: len(state_of(address, security=security)["workers"]) == 1, "a worker", 60)
    before = state_of(address, security=security)
    cluster.configure("encrypted", {"address": address, "security": files})
    assert cluster.everything()["apart"]

    _, others = tools.credentials(cluster.folder / "wrong")
    plain = {"address": address.replace("tls://", "tcp://"), "security": None}
    soon = {"start_timeout": 5.0}
    for wrong in ({"address": address, "security": others}, {"address": address, "security": None}, plain):
        cluster.configure("encrypted", {**wrong, **soon})
        code, out, err = cluster.run("everything.py", "cluster", seconds=60)
        assert code == 1 and not out
        assert "ExecutorStartError" in err
    as_it_was(tools, before, address, security=security)
