"""Clusters and measures that several tests of this plugin share."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import dask.config
import distributed
import psutil
import pytest

from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor
from turgo_dask.supervision import watch as watching

TWO_WORKERS = {"n_workers": 2, "threads_per_worker": 1}
ENDS_WITHIN_SECONDS = 40.0
"""How long what is about to happen may take on a busy machine."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskExecutor]:
    """A started executor on a temporary cluster of two processes."""
    with DaskExecutor(cluster_kwargs=TWO_WORKERS, debug=False).start() as executor:
        yield executor


@pytest.fixture
def small() -> DaskExecutor:
    """An executor of one's own, not started, for tests that break what they use."""
    return DaskExecutor(cluster_kwargs=TWO_WORKERS, debug=False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at clusters five times a second, and tell after half a second."""
    monkeypatch.setattr(watching, "LOOK_INTERVAL_SECONDS", 0.2)
    monkeypatch.setattr(watching, "UNMET_REPORT_SECONDS", 0.5)


@contextmanager
def local_cluster(workers: int, threads: int, **options: Any) -> Iterator[distributed.LocalCluster]:
    """A cluster of others, with a scheduler that is configured as dask is by default.

    But for one thing: it would look 15 s after each loss whether that worker is there, and close the nanny of one that
    is just starting again.
    """
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 day"}),
        distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            **options,
        ) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def theirs() -> Iterator[distributed.LocalCluster]:
    """A cluster that runs already, in this process, with sockets as any other."""
    with local_cluster(1, 1, processes=False, protocol="tcp") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def theirs_of_two() -> Iterator[distributed.LocalCluster]:
    """The same with two threads, in workers of their own."""
    with local_cluster(2, 1, processes=False, protocol="tcp") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def nannied() -> Callable[[int, int], AbstractContextManager[distributed.LocalCluster]]:
    """Makes one whose workers are processes with nannies: so many of so many threads."""
    return local_cluster


@pytest.fixture(scope="session")
def lost_workers() -> Callable[[distributed.LocalCluster], Callable[[], int]]:
    """Makes what says how many workers a cluster has lost since it was made."""

    def counted(cluster: distributed.LocalCluster) -> Callable[[], int]:
        def lost() -> int:
            events = cluster.scheduler.get_events("all")
            removed = [event for _, event in events if event["action"] == "remove-worker"]
            return sum(not event["expected"] for event in removed)

        before = lost()
        return lambda: lost() - before

    return counted


class Foreign:
    """A scheduler and a worker without a nanny, each a process."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        """Start it, and wait for its address and its worker."""
        loopback = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self.scheduler = self._start("scheduler", "--no-dashboard", *loopback)
        end = time.monotonic() + 60
        while not self.file.exists() or not self.file.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]
        self.worker = self.start_worker("--nthreads", "2")
        with distributed.Client(self.address, set_as_default=False, timeout=60) as client:
            client.wait_for_workers(1, timeout=60)

    def start_worker(self, *options: str) -> subprocess.Popen[bytes]:
        """One more."""
        return self._start("worker", "--no-nanny", "--no-dashboard", *options)

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--scheduler-file", str(self.file)]
        process = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL, cwd=self.file.parent)
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End all of it."""
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Foreign]:
    """A cluster that was started by others, and that may be broken."""
    cluster = Foreign(tmp_path)
    try:
        cluster.open()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def said() -> Iterator[list[str]]:
    """What distributed logs in this process, as warnings and worse."""
    lines: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("distributed")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.fixture
def start_error() -> Callable[..., str]:
    """Gives what the error of a start says, which comes within so many seconds."""

    def error_of(seconds: float = 50.0, **options: Any) -> str:
        began = time.monotonic()
        with pytest.raises(ExecutorStartError) as caught, DaskExecutor(debug=False, **options).start():
            pass
        assert time.monotonic() - began < seconds
        return str(caught.value)

    return error_of


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Says whether a process has ended, or ends soon: a call is over before its worker is."""

    def ends(pid: int) -> bool:
        end = time.monotonic() + ENDS_WITHIN_SECONDS
        while time.monotonic() < end:
            if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
            time.sleep(0.05)
        return False

    return ends
