"""The kinds of executors that the campaign runs on, as profiles of a `turgo.toml`."""

from __future__ import annotations

import random
from typing import Any

import attrs


@attrs.frozen
class Kind:
    """One of them. start_seconds: about how long it takes from the command to the first call on an idle machine."""

    name: str
    start_seconds: float


KINDS = {
    kind.name: kind
    for kind in (
        Kind("local", 0.4),
        Kind("threads", 0.6),
        Kind("processes", 1.2),
        Kind("temporary", 3.0),
        Kind("running", 1.5),
        Kind("simulated", 0.4),
    )
}

CYCLE = (
    *("local", "threads", "processes", "temporary", "simulated"),
    *("threads", "processes", "running", "local", "simulated"),
)
"""Which kind a seed has, unless one is asked for."""


START_TIMEOUT_SECONDS = 300.0
"""Of clusters, on a machine that has much else to do."""


def profile(kind: str, chance: random.Random, address: str | None) -> dict[str, Any]:
    """Its options in a file of settings. address: of the cluster that runs."""
    if kind == "local":
        return {"use": "local"}
    if kind in ("threads", "processes"):
        return {"use": "local_dask", "scheduler": kind, "num_workers": chance.randint(2, 4)}
    if kind == "temporary":
        cluster = {"n_workers": 2, "threads_per_worker": chance.choice([1, 2])}
        return {"use": "dask", "cluster_kwargs": cluster, "start_timeout": START_TIMEOUT_SECONDS}
    if kind == "running":
        return {
            "use": "dask",
            "address": address,
            "scheduler_timeout": 20.0,
            "start_timeout": START_TIMEOUT_SECONDS,
        }
    return {
        "use": "turgo.testing:SimulatedExecutor",
        "workers": chance.randint(1, 20),
        "durations": 0.05,
        "latency_seconds": 0.01,
        "seed": chance.randrange(1000),
    }


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value)
