"""What a failed start leaves is ended, processes that are only just starting too."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import distributed
import psutil
import pytest
from distributed.deploy.spec import ProcessInterface
from distributed.utils import LoopRunner

from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor
from turgo_dask.cluster import temporary
from turgo_dask.cluster.deadline import Deadline
from turgo_dask.cluster.start import ClusterStart

HERE = {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"}


@pytest.fixture
def begun() -> Iterator[list[subprocess.Popen[str]]]:
    """The processes that pieces of a cluster have begun; none is left by a test that fails."""
    Piece.begun = []
    yield Piece.begun
    for each in Piece.begun:
        each.kill()
        each.communicate()


class Piece(ProcessInterface):  # type: ignore[misc]  # distributed has no types
    """A part of a cluster in a process of its own, which its close does not end, as openssh may refuse to."""

    begun: list[subprocess.Popen[str]] = []  # noqa: RUF012  (each test has its own)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Python."""
        process = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.PIPE, text=True)
        self.begun.append(process)
        return process


class Elsewhere(Piece):
    """A scheduler."""

    async def start(self) -> None:
        """Wait until it says where it is."""
        spec = json.dumps({"cls": "distributed.Scheduler", "opts": HERE})
        stream = self.begin("-m", "distributed.cli.dask_spec", "--spec", spec).stderr
        assert stream is not None
        while "Scheduler at:" not in (line := await asyncio.to_thread(stream.readline)):
            assert line, "it has ended"
        self.address = line.split("Scheduler at:")[1].strip()
        await super().start()


class Freezes(Piece):
    """A worker that never comes. Its scheduler hears nothing from now on, until a second after it is given up."""

    frozen = threading.Event()

    async def start(self) -> None:
        """Stop the scheduler."""
        os.kill(self.begun[0].pid, signal.SIGSTOP)
        self.frozen.set()
        await asyncio.sleep(600)

    async def close(self) -> None:
        """Let it go on soon."""
        threading.Timer(1.0, os.kill, (self.begun[0].pid, signal.SIGCONT)).start()
        await super().close()


class Stubborn(Piece):
    """A worker whose first close hangs."""

    closes = 0

    async def start(self) -> None:
        """It is up."""
        self.begin("-c", "import time; time.sleep(600)")
        await super().start()

    async def close(self) -> None:
        """End it the second time."""
        self.closes += 1
        if self.closes == 1:
            await asyncio.sleep(600)
        self.begun[0].kill()
        await super().close()


def test_a_scheduler_elsewhere_that_is_slow_to_hear_is_ended(begun: list[subprocess.Popen[str]]) -> None:
    """Nothing else would end it: workers that come up late would find it, and wait there for good."""

    def make() -> Any:
        workers = {"late": {"cls": Freezes}}
        return distributed.SpecCluster(scheduler={"cls": Elsewhere}, workers=workers, silence_logs=50)

    runner = LoopRunner(asynchronous=False)
    runner.start()
    starting = ClusterStart(make, runner)
    assert Freezes.frozen.wait(60)
    starting.give_up()
    begun[0].communicate(timeout=60)


def test_a_cluster_that_does_not_close_in_time_is_ended(
    begun: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece: a job or a process elsewhere would be left otherwise."""
    monkeypatch.setattr(temporary, "CLUSTER_CLOSE_SECONDS", 1.0)

    def make() -> Any:
        scheduler = {"cls": distributed.Scheduler, "options": HERE}
        return distributed.SpecCluster(
            scheduler=scheduler, workers={"one": {"cls": Stubborn}}, silence_logs=50
        )

    with temporary.opened(make, {}, Deadline(60)):
        assert begun[0].poll() is None
    begun[0].communicate(timeout=60)


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.0, 1.5])
def test_processes_that_are_just_starting_are_ended_too(seconds: float) -> None:
    """A local cluster that has not enough time, whatever its nannies are at just then."""
    children = set(psutil.Process().children(recursive=True))
    options = {"n_workers": 4, "threads_per_worker": 1, "preload": "import time; time.sleep(30)"}
    with pytest.raises(ExecutorStartError, match="LocalCluster did not come up"):
        DaskExecutor(cluster_kwargs=options, start_timeout=seconds, debug=False).start().__enter__()
    end = time.monotonic() + 20
    while left := [
        each
        for each in set(psutil.Process().children(recursive=True)) - children
        if each.is_running() and "resource_tracker" not in " ".join(each.cmdline())
    ]:
        assert time.monotonic() < end, left
        time.sleep(0.05)
