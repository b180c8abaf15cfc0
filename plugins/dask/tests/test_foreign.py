"""A cluster of others, started from a shell: it loses all workers, and has other clients."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from penstock import flow, task
from penstock.errors import ExecutorError
from penstock_dask import DaskExecutor, watching


@task
def noted(folder: str, number: int) -> int:
    """Take a moment."""
    time.sleep(0.01)
    return number


class Foreign:
    """A scheduler and a worker without a nanny, each a process."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        options = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start("scheduler", *options)
        end = time.monotonic() + 30
        while not self.file.exists() or not self.file.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        self.address = json.loads(self.file.read_text())["address"]
        self.start_worker()

    def start_worker(self) -> None:
        """One more, which becomes `worker`."""
        self.worker = self.start("worker", "--no-nanny", "--nthreads", "2", "--no-dashboard")

    def start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        """One more process."""
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
def foreign(tmp_path: Path) -> Iterator[tuple[str, Foreign]]:
    """The address of a scheduler with one worker, and all that was started."""
    shell = Foreign(tmp_path)
    yield shell.address, shell
    shell.close()


@flow
def many(folder: str) -> Any:
    """A second of calls."""
    return noted.map([folder] * 500, range(500))


def test_a_cluster_that_loses_its_last_worker_ends_the_run(
    foreign: tuple[str, Foreign], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls wait for another worker for as long as the options say, and it is told of before."""
    monkeypatch.setattr(watching, "INTERVAL", 0.2)
    monkeypatch.setattr(watching, "GRACE", 0.5)
    address, shell = foreign
    options: dict[str, Any] = {"start_timeout": 2, "resources_timeout": 1.5, "debug": False}
    with DaskExecutor(address=address, **options).start() as executor:
        executor.submit(abs, -1).result()
        shell.worker.kill()
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="no worker has been there for"):
            many.run(str(tmp_path), executor=executor)
        assert 2 <= time.monotonic() - began < 30
        assert any("there is none" in event.message for event in executor.events())


def test_a_worker_that_comes_in_time_takes_what_waited(
    foreign: tuple[str, Foreign], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the run goes on."""
    monkeypatch.setattr(watching, "INTERVAL", 0.2)
    address, shell = foreign
    with DaskExecutor(address=address, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        shell.worker.kill()
        shell.worker.wait()
        shell.start_worker()
        assert many.run(str(tmp_path), executor=executor).ok


def test_a_large_argument_is_no_warning_and_that_of_others_is(foreign: tuple[str, Foreign]) -> None:
    """Distributed's warning of large graphs is silenced for our calls alone."""
    address, _ = foreign
    data = bytes(12_000_000)
    with (
        DaskExecutor(address=address, debug=False).start() as executor,
        distributed.Client(address, set_as_default=False) as other,
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert executor.submit(len, data).result() == len(data)
        with pytest.warns(UserWarning, match="Sending large graph"):
            assert other.submit(len, data).result() == len(data)
