"""Temporary clusters: of this machine, over ssh, as jobs of Slurm; each is gone when its flow is over."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import psutil
import pytest

from penstock_dask.finding import find_class


@pytest.mark.parametrize(
    ("profile", "workers", "apart"),
    [("two", 2, True), ("threads", 4, False), ("elastic", 1, True)],
)
def test_a_local_cluster(cluster: Any, profile: str, workers: int, apart: bool) -> None:
    """Of processes, of threads, and one that grows from nothing: all calls run there, and it ends."""
    cluster.configure(profile)
    facts = cluster.everything()
    assert facts["apart"] is apart
    assert len(facts["workers"]) >= min(workers, 2)


def test_credentials_for_one_local_cluster(cluster: Any, tools: Any) -> None:
    """`security = true` makes them, and everything speaks TLS by them."""
    tools.need("cryptography")
    cluster.configure("sealed")
    assert cluster.everything()["apart"]


def test_a_cluster_over_ssh(cluster: Any, tools: Any) -> None:
    """Scheduler and two workers are started by a real sshd, and none of them is left when the flow is over."""
    tools.need("sshd", "asyncssh")
    loopback = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with tools.part("sshd.sh") as ssh:
        keys = ssh["SSH_DIR"]
        cluster.configure(
            "ssh",
            {
                "cluster_kwargs": {
                    "hosts": ["127.0.0.1"] * 3,
                    "connect_options": {
                        "port": int(ssh["SSH_PORT"]),
                        "username": "root",
                        "client_keys": [f"{keys}/id_ed25519"],
                        "known_hosts": f"{keys}/known_hosts",
                    },
                    "scheduler_options": {"port": 0, **loopback},
                    "worker_options": {"nthreads": 1, **loopback},
                    "remote_python": sys.executable,
                }
            },
        )
        facts = cluster.everything()
        assert facts["apart"] and len(facts["workers"]) == 2
        server = int(ssh["SSH_PID"])
        tools.until(lambda: not psutil.Process(server).children(recursive=True), "what ssh started is gone")


@pytest.mark.parametrize("adaptive", [False, True], ids=["fixed", "adaptive"])
def test_a_cluster_of_slurm_jobs(cluster: Any, tools: Any, slurm: dict[str, str], adaptive: bool) -> None:
    """Each worker is a job of a real Slurm; no job is left when the flow is over."""
    here = {
        "queue": "debug",
        "cores": 1,
        "processes": 1,
        "memory": "1GB",
        "interface": None,
        "job_extra_directives": [],
        "local_directory": str(cluster.folder),
        "log_directory": str(cluster.folder / "jobs"),
        "scheduler_options": {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"},
        "worker_extra_args": ["--host", "127.0.0.1", "--no-dashboard"],
    }
    changes: dict[str, Any] = {"cluster_kwargs": here, "adapt_kwargs": {"minimum_jobs": 0, "maximum_jobs": 2}}
    if not adaptive:
        here["n_workers"] = 2
        changes["adapt_kwargs"] = None
    cluster.variables.update(slurm)
    cluster.configure("hpc", changes)
    assert cluster.everything()["apart"]
    assert tools.until(lambda: _jobs(slurm) == [], "the jobs are gone")


def _jobs(slurm: dict[str, str]) -> list[str]:
    """The jobs that wait or run."""
    command = ["squeue", "--noheader", "--format=%i %T"]
    done = subprocess.run(command, env=slurm, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.splitlines()


def test_the_kubernetes_profile_fits_the_class(tools: Any) -> None:
    """Without a cluster: the path leads to dask-kubernetes' class, which has a parameter for each option."""
    tools.need("dask_kubernetes")
    profile = tools.PROFILES["kubernetes"]
    cluster_class = find_class(profile["cluster_class"])
    taken = inspect.signature(cluster_class.__init__).parameters
    assert set(profile["cluster_kwargs"]) <= set(taken)
    inspect.signature(cluster_class.adapt).bind(None, **profile["adapt_kwargs"])
