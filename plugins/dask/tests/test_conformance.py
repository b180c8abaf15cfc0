"""The executor keeps the contract on each kind of cluster, with what it declares there.

The mark `matrix` is on all but three groups on a temporary cluster. With it, all of it runs on temporary clusters,
the rule for leaving on one that adapts, and a handful of groups on one of others, where all of it runs with
`TEST_MATRIX=full`: two minutes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import distributed
import pytest

from turgo.testing import ExecutorConformance
from turgo.testing.groups.declared import Declared
from turgo.testing.groups.lifecycle import Lifecycle
from turgo.testing.groups.nested_futures import NestedFutures
from turgo.testing.groups.shutdown import Shutdown
from turgo.testing.groups.submission import Submission
from turgo.testing.groups.trouble import Trouble

pytestmark = pytest.mark.timeout(300)

PATIENCE_SECONDS = 60.0
"""Twice as much as is usual: ten thousand calls keep a scheduler busy for a minute where others use its cores."""


FULL = os.environ.get("TEST_MATRIX") == "full"

STARTED_SECONDS = 60
"""How long the cluster of others may take to start."""

WORKERS = 2
"""Processes of the cluster of others."""


class Handful(Lifecycle, Shutdown, Declared, Trouble):
    """The rules that ask most of a cluster: how it is left, what it can do, and workers that are lost."""


class Sample(Declared, NestedFutures, Submission):
    """What a cluster can do, and how calls get there. How it is left and what it outlives, other tests here show."""


class Rest(*(group for group in ExecutorConformance.__bases__ if group not in Sample.__bases__)):  # type: ignore[misc]
    """All other rules of the contract."""


class TestDask(Sample):
    """On a temporary local cluster."""

    executor = "dask"
    executor_options = {  # noqa: RUF012  (read, never written)
        "cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1},
        "debug": False,
    }
    patience = PATIENCE_SECONDS
    failing_options = {  # noqa: RUF012  (read, never written)
        "address": "tcp://127.0.0.1:9",
        "client_kwargs": {"timeout": 1},
    }


@pytest.mark.matrix
class TestRestOnDask(Rest):
    """On such a cluster too."""

    executor = "dask"
    executor_options = TestDask.executor_options
    failing_options = TestDask.failing_options
    patience = PATIENCE_SECONDS


@pytest.mark.matrix
class TestThreads(ExecutorConformance):
    """Every rule of the contract, where the calls run in threads of this process."""

    executor = "dask"
    executor_options = {  # noqa: RUF012  (read, never written)
        "cluster_kwargs": {"n_workers": 1, "threads_per_worker": 2, "processes": False},
        "debug": False,
    }
    patience = PATIENCE_SECONDS
    failing_options = TestDask.failing_options


@pytest.mark.matrix
class TestAdapting(Shutdown):
    """The rule for leaving, on a cluster whose workers come and go with the work."""

    executor = "dask"
    executor_options: ClassVar[dict[str, Any]] = {
        "cluster_kwargs": {"threads_per_worker": 1},
        "adapt_kwargs": {"minimum": 1, "maximum": 2},
        "debug": False,
    }
    failing_options = TestDask.failing_options


@pytest.mark.matrix
class TestAddress(ExecutorConformance if FULL else Handful):  # type: ignore[misc]
    """A cluster of others: it was started from the shell, and goes on. Every rule of the contract, if there is time."""

    executor = "dask"
    failing_options = TestDask.failing_options
    patience = PATIENCE_SECONDS
    load = 1000
    cluster: ClassVar[ExitStack]

    @classmethod
    def setup_class(cls) -> None:
        """Start their cluster."""
        with ExitStack() as stack:
            cls.executor_options = {"address": _cluster_of_others(stack), "debug": False}
            cls.cluster = stack.pop_all()
        super().setup_class()

    def setup_method(self) -> None:
        """Wait for the worker that comes in place of one that the check before has killed."""
        address = self.executor_options["address"]
        with distributed.Client(address, set_as_default=False, timeout=STARTED_SECONDS) as client:
            client.wait_for_workers(WORKERS, timeout=STARTED_SECONDS)

    @classmethod
    def teardown_class(cls) -> None:
        """It is theirs to close."""
        try:
            super().teardown_class()
        finally:
            cls.cluster.close()


def _cluster_of_others(stack: ExitStack) -> str:
    """A scheduler and two workers with nannies, as from the shell, until `stack` is left; the scheduler's address."""
    file = Path(stack.enter_context(TemporaryDirectory())) / "scheduler.json"
    here = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file))
    _start(stack, "scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0", *here)
    _start(stack, "worker", "--nworkers", str(WORKERS), "--nthreads", "1", *here)
    end = time.monotonic() + STARTED_SECONDS
    while not file.exists() or not file.read_text("utf-8"):
        assert time.monotonic() < end
        time.sleep(0.05)
    with distributed.Client(
        scheduler_file=str(file), set_as_default=False, timeout=STARTED_SECONDS
    ) as client:
        client.wait_for_workers(WORKERS, timeout=STARTED_SECONDS)
        address: str = client.scheduler.address
    return address


def _start(stack: ExitStack, kind: str, *options: str) -> None:
    """Start it in a session of its own, so that it is ended with what it has started."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    stack.callback(process.wait)
    stack.callback(os.killpg, process.pid, signal.SIGKILL)
