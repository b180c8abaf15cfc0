"""The conformance suite on the kinds of clusters that docs/dask.md shows beside those of one machine.

A handful of its rules each time, the whole suite with `TEST_MATRIX=full`: half an hour for all kinds.
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


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", [by_file, by_tls, over_ssh, by_slurm])
def test_the_contract_is_kept(
    kind: Callable[..., AbstractContextManager[None]],
    cluster: Any,
    tools: Any,
    request: pytest.FixtureRequest,
) -> None:
    """By the same suite as anywhere, with the profile of the page."""
    with kind(cluster, tools, request):
        assert " passed" in cluster.check(*_chosen(), seconds=1500)
