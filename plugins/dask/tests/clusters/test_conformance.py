"""The conformance suite on every kind of cluster that docs/dask.md shows.

A handful of its rules each time, the whole suite with `TEST_MATRIX=full`: an hour for all kinds. On Kubernetes it is
not run: tests have no such cluster.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import distributed
import pytest

from turgo.testing.specification import groups

FULL = os.environ.get("TEST_MATRIX") == "full"
HANDFUL = ("Submission", "Declared", "NestedFutures")
"""The groups of rules that are checked each time."""


def _chosen() -> list[str]:
    """What of the suite is run, as options of pytest."""
    if FULL:
        return []
    checks = [rule.check for group, rules in groups() if group.__name__ in HANDFUL for rule in rules]
    return ["-k", " or ".join(checks)]


@contextmanager
def _two_workers(cluster: Any, tools: Any, *options: str, **connection: Any) -> Any:
    address = cluster.scheduler(*options)
    for _ in range(2):
        cluster.worker(*(each for each in options if each not in ("--protocol", "tls")))

    def both() -> bool:
        with distributed.Client(address, set_as_default=False, **connection) as client:
            return len(client.scheduler_info(n_workers=-1)["workers"]) == 2

    tools.until(both, "two workers")
    yield address


@contextmanager
def by_address(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """A scheduler from the shell, by its address."""
    with _two_workers(cluster, tools) as address:
        cluster.configure("running", {"address": address})
        yield


@contextmanager
def by_variable(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """One where dask's own variable says."""
    with _two_workers(cluster, tools) as address:
        cluster.configure("anywhere")
        cluster.variables["DASK_SCHEDULER_ADDRESS"] = address
        yield


@contextmanager
def of_processes(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """A temporary cluster of this machine."""
    cluster.configure("two")
    yield


@contextmanager
def of_threads(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """One in threads of the driver."""
    cluster.configure("threads")
    yield


@contextmanager
def sealed(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """One with credentials of its own."""
    tools.need("cryptography")
    cluster.configure("sealed")
    yield


@contextmanager
def that_adapts(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """One whose workers come and go with the work."""
    cluster.configure("elastic")
    yield


@contextmanager
def by_file(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """A scheduler from the shell, by the file that it writes."""
    with _two_workers(cluster, tools):
        cluster.configure("by_file", {"scheduler_file": str(cluster.folder / "scheduler.json")})
        yield


@contextmanager
def by_tls(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """One that speaks TLS."""
    tools.need("cryptography")
    security, files = tools.credentials(cluster.folder / "right")
    with _two_workers(
        cluster, tools, "--protocol", "tls", *tools.tls_options(files), security=security
    ) as address:
        cluster.configure("encrypted", {"address": address, "security": files})
        yield


@contextmanager
def over_ssh(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """A temporary cluster by a real sshd."""
    tools.need("sshd", "asyncssh")
    with tools.part("sshd.sh") as ssh:
        cluster.configure("ssh", {"cluster_kwargs": tools.over_ssh(ssh, sys.executable)})
        yield


@contextmanager
def by_slurm(cluster: Any, tools: Any, request: pytest.FixtureRequest) -> Any:
    """Two jobs of a real Slurm."""
    cluster.variables.update(request.getfixturevalue("slurm"))
    jobs = {**tools.slurm_jobs(cluster.folder), "n_workers": 2}
    cluster.configure("hpc", {"cluster_kwargs": jobs, "adapt_kwargs": None})
    yield


KINDS = (
    of_processes,
    of_threads,
    sealed,
    that_adapts,
    by_address,
    by_variable,
    by_file,
    by_tls,
    over_ssh,
    by_slurm,
)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_the_contract_is_kept(
    kind: Callable[..., AbstractContextManager[None]],
    cluster: Any,
    tools: Any,
    request: pytest.FixtureRequest,
) -> None:
    """By the same suite as anywhere, with the profile of the page."""
    with kind(cluster, tools, request):
        assert " passed" in cluster.check(*_chosen(), seconds=1500)
