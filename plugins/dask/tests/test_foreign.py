"""A cluster of others, started from a shell: it loses workers or its scheduler, and has other clients."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

from penstock import flow, task
from penstock.errors import ExecutorError, ValueNotPortableError
from penstock_dask import DaskExecutor, watching


@task
def rest(seconds: float) -> float:
    """Sleep."""
    time.sleep(seconds)
    return seconds


@flow
def rests(seconds: float, count: int) -> Any:
    """So many of them."""
    return rest.map([seconds] * count)


class Foreign:
    """A scheduler and a worker without a nanny, each a process."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        """Start it, and wait for its address and its worker."""
        options = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self.scheduler = self._start("scheduler", *options)
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


def after(seconds: float, act: Callable[..., object], *args: object) -> None:
    """Act after a while, in a thread that does not outlive the test, which waits for what this does."""
    threading.Timer(seconds, act, args).start()


def test_a_cluster_that_loses_its_last_worker_ends_the_run(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls wait for another worker for as long as the options say, and it is told of before."""
    monkeypatch.setattr(watching, "INTERVAL", 0.2)
    monkeypatch.setattr(watching, "GRACE", 0.5)
    options: dict[str, Any] = {"start_timeout": 2, "resources_timeout": 1.5, "debug": False}
    with DaskExecutor(address=foreign.address, **options).start() as executor:
        executor.submit(abs, -1).result()
        foreign.worker.kill()
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="no worker has been there for"):
            rests.run(0.01, 500, executor=executor)
        assert 2 <= time.monotonic() - began < 60
        assert any("there is none" in event.message for event in executor.events())


def test_a_worker_that_comes_in_time_takes_what_waited(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the run goes on."""
    monkeypatch.setattr(watching, "INTERVAL", 0.2)
    with DaskExecutor(address=foreign.address, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        foreign.worker.kill()
        foreign.worker.wait()
        foreign.start_worker("--nthreads", "2")
        assert rests.run(0.01, 500, executor=executor).ok


def test_a_worker_that_closes_as_its_time_is_up_loses_nothing(foreign: Foreign) -> None:
    """As under a queue's walltime: `--lifetime` closes a worker in good order, and the others go on."""
    with DaskExecutor(address=foreign.address, debug=False).start() as executor:
        foreign.start_worker("--lifetime", "1.5s")
        foreign.start_worker("--lifetime", "2.5s")
        run = rests.run(0.1, 120, executor=executor)
        assert run.ok, [each.error for each in run.task_runs if each.error][:1]
        assert all(len(each.attempts) < 3 for each in run.task_runs)


def test_a_scheduler_that_is_killed_ends_the_run(foreign: Foreign, said: list[str]) -> None:
    """With an error that names it, within seconds, and with no traceback of distributed's beside it."""
    with DaskExecutor(address=foreign.address, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        after(1.0, foreign.scheduler.kill)
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="is gone"):
            rests.run(0.3, 1000, executor=executor)
        assert time.monotonic() - began < 60  # the calls take minutes


def test_a_scheduler_that_falls_silent_ends_the_run(
    foreign: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection is open, but nobody answers: after `scheduler_timeout` it counts as gone."""
    monkeypatch.setattr(watching, "INTERVAL", 0.3)
    with DaskExecutor(address=foreign.address, scheduler_timeout=5, debug=False).start() as executor:
        executor.submit(abs, -1).result()
        after(0.5, foreign.scheduler.send_signal, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(ExecutorError, match="is gone"):
            rests.run(0.3, 1000, executor=executor)
        assert time.monotonic() - began < 60


def test_a_large_argument_is_no_warning_and_that_of_others_is(foreign: Foreign) -> None:
    """Distributed's warning of large graphs is silenced for our calls alone."""
    data = bytes(12_000_000)
    with (
        DaskExecutor(address=foreign.address, debug=False).start() as executor,
        distributed.Client(foreign.address, set_as_default=False) as other,
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert executor.submit(len, data).result() == len(data)
        with pytest.warns(UserWarning, match="Sending large graph"):
            assert other.submit(len, data).result() == len(data)


class Stays:
    """Cannot be pickled; dask can give it a name all the same."""

    def __reduce__(self) -> Any:
        raise TypeError("it stays")

    def __dask_tokenize__(self) -> str:
        return "stays"


def test_a_call_that_does_not_pickle_is_told_of_once(foreign: Foreign, said: list[str]) -> None:
    """By its error, and not by distributed's log as well, which it is for other clients, and for all afterwards."""
    logger = logging.getLogger("distributed.protocol.pickle")
    filters = list(logger.filters)
    with (
        DaskExecutor(address=foreign.address, debug=False).start() as executor,
        distributed.Client(foreign.address, set_as_default=False) as other,
    ):
        assert isinstance(executor.submit(id, Stays()).exception(), ValueNotPortableError)
        assert said == []
        with pytest.raises(TypeError):
            other.submit(id, Stays())
        assert len(said) == 1 and "Failed to serialize" in said[0]
    assert logger.filters == filters
