"""Temporary clusters: of this machine, over ssh, as jobs of Slurm; each is gone when its flow is over."""

from __future__ import annotations

import inspect
import subprocess
import sys
from contextlib import suppress
from typing import Any

import psutil
import pytest

from turgo_dask.cluster.class_path import find_class


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
    with tools.part("sshd.sh") as ssh:
        cluster.configure("ssh", {"cluster_kwargs": tools.over_ssh(ssh, sys.executable)})
        facts = cluster.everything()
        assert facts["apart"] and len(facts["workers"]) == 2
        server = int(ssh["SSH_PID"])
        tools.until(lambda: not psutil.Process(server).children(recursive=True), "what ssh started is gone")


def test_a_cluster_over_ssh_that_does_not_come_up(cluster: Any, tools: Any) -> None:
    """Its workers come too late: after `start_timeout` that is an error, and scheduler and workers end.

    Openssh may refuse to kill what hangs for good; what it had begun then is up to whom it belongs to.
    """
    tools.need("sshd", "asyncssh")
    late = cluster.folder / "python"
    late.write_text(f'#!/bin/sh\ncase "$*" in *Nanny*) sleep 20;; esac\nexec {sys.executable} "$@"\n')
    late.chmod(0o755)
    with tools.part("sshd.sh") as ssh:
        options = tools.over_ssh(ssh, str(late))
        options["worker_options"]["death_timeout"] = "5s"
        cluster.configure("ssh", {"cluster_kwargs": options, "start_timeout": 12.0})
        with cluster.driver("everything.py", "cluster") as driver:
            server = psutil.Process(int(ssh["SSH_PID"]))
            started = tools.until(lambda: _more_than(2, server), "scheduler and workers are begun")
            out, err = driver.communicate(timeout=60)
        assert driver.returncode == 1 and not out
        assert "SSHCluster did not come up within 12 s" in err
        tools.until(
            lambda: not [each for each in started if each.is_running()], "what ssh started is gone", 60
        )


def _more_than(count: int, server: psutil.Process) -> list[psutil.Process]:
    """The commands that a server runs, once there are more than so many."""
    found = []
    for each in server.children(recursive=True):
        with suppress(psutil.Error):  # it has gone meanwhile
            if "distributed.cli" in " ".join(each.cmdline()):
                found.append(each)
    return found if len(found) > count else []


def test_a_cluster_over_ssh_ends_after_its_driver_was_killed(cluster: Any, tools: Any) -> None:
    """Its idle timeout ends it where nobody else can: what runs on the hosts does not hear of a SIGKILL here."""
    tools.need("sshd", "asyncssh")
    with tools.part("sshd.sh") as ssh:
        options = tools.over_ssh(ssh, sys.executable)
        options["scheduler_options"]["idle_timeout"] = "10s"
        cluster.configure("ssh", {"cluster_kwargs": options})
        (cluster.folder / "cut").mkdir()
        with cluster.driver("cut.py", "cluster", str(cluster.folder / "cut")) as driver:
            assert driver.stdout.readline() == "made\n", driver.communicate()[1]
            started = psutil.Process(int(ssh["SSH_PID"])).children(recursive=True)
            driver.kill()
        assert started
        (cluster.folder / "cut" / "cut").touch()  # the call that runs there comes to its end
        tools.until(
            lambda: not [each for each in started if each.is_running()], "what ssh started is gone", 60
        )


@pytest.mark.parametrize("adaptive", [False, True], ids=["fixed", "adaptive"])
def test_a_cluster_of_slurm_jobs(cluster: Any, tools: Any, slurm: dict[str, str], adaptive: bool) -> None:
    """Each worker is a job of a real Slurm; no job is left when the flow is over."""
    here = tools.slurm_jobs(cluster.folder)
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
