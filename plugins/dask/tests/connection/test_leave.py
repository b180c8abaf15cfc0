"""Nothing of a run remains on a cluster that stays."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo import RunState, TaskState, flow, task
from turgo.errors import RunTimeoutError
from turgo.hooks import hookimpl
from turgo.records.flow_run import FlowRun
from turgo_dask import DaskExecutor
from turgo_dask.connection import leave as leaving


def _theirs(*, threads: int, n_workers: int = 1, **options: Any) -> distributed.LocalCluster:
    """A cluster that is not the executor's own, with workers in this process, which can be looked into."""
    return distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=threads,
        processes=False,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
        **options,
    )


@task
def slow(seconds: float) -> float:
    """Sleep in small steps."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
    return seconds


@flow
def sleeps(seconds: float, count: int) -> Any:
    """So many sleeps."""
    return slow.map([seconds] * count)


@flow(timeout=1.0)
def hurries() -> Any:
    """Calls that take longer than the run may."""
    return slow.map([30.0] * 4)


@task
def large(folder: str, number: int) -> bytes:
    """A value that stays on its worker; quick at first, so that many calls travel together, and then slow."""
    Path(folder, str(number)).touch()
    if number == 60:
        Path(folder, "slow").touch()
    end = time.monotonic() + (10.0 if number >= 60 else 0.0)
    while time.monotonic() < end:
        time.sleep(0.01)
    return bytes(1 << 20)


class _Cancels:
    """An observer that cancels the run once a file is there; begun: how many calls had begun by then."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.begun = folder, 0

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        threading.Thread(target=self.wait, args=[run], daemon=True).start()

    def wait(self, run: FlowRun) -> None:
        end = time.monotonic() + 60
        while not (self.folder / "slow").exists() and time.monotonic() < end:
            time.sleep(0.01)
        run.cancel()
        self.begun = len(list(self.folder.iterdir()))


def _stubborn(number: int) -> None:
    """Run for a minute, whatever is raised in it once or twice."""
    caught = 0
    end = time.monotonic() + 60
    while time.monotonic() < end and caught < 2:
        try:
            time.sleep(0.01)
        except Exception:  # noqa: BLE001  (as tasks do)
            caught += 1


def test_nothing_of_a_run_remains_on_a_shared_cluster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After success, failure and leaving early: no key, no client, no plugin, no call that runs."""
    monkeypatch.setattr(leaving, "INTERRUPT_SECONDS", 20.0)
    with _theirs(threads=1, n_workers=2, protocol="tcp") as theirs:
        plugins = set(theirs.scheduler.plugins)
        workers = [set(worker.plugins) for worker in theirs.workers.values()]
        executor = DaskExecutor(address=theirs.scheduler_address, debug=False)
        assert sleeps.run(0.0, 50, executor=executor).state is RunState.SUCCESS
        with pytest.raises(LookupError, match="no longer"), executor.start():
            running = executor.map(_stubborn, range(2))
            waiting = [executor.submit((tmp_path / str(number)).touch) for number in range(5)]
            end = time.monotonic() + 20
            while sum(len(worker.active_threads) for worker in theirs.workers.values()) < 2:
                assert time.monotonic() < end
                time.sleep(0.01)
            raise LookupError("it is needed no longer")
        assert all(future.done() for future in [*running, *waiting])
        assert not list(tmp_path.iterdir()), "a call that waited began"
        for worker in theirs.workers.values():
            assert not worker.active_threads
            assert not worker.state.tasks
        assert not theirs.scheduler.tasks
        assert {name for name in theirs.scheduler.clients if not name.startswith("fire")} == set()
        assert set(theirs.scheduler.plugins) == plugins
        assert [set(worker.plugins) for worker in theirs.workers.values()] == workers


def test_a_run_that_is_cut_short_stops_its_calls_on_a_shared_cluster() -> None:
    """Those that run, too: when the run is over, no worker has one."""
    with _theirs(threads=2) as theirs:
        (worker,) = theirs.workers.values()
        executor = DaskExecutor(address=theirs.scheduler_address, debug=False)
        run = hurries.run(executor=executor)
        assert isinstance(run.error, RunTimeoutError)
        assert [each.state for each in run.task_runs] == [TaskState.CANCELLED] * 4
        assert not worker.active_threads
        assert not theirs.scheduler.tasks


def test_no_call_of_a_batch_begins_after_one_that_was_interrupted_on_a_shared_cluster(tmp_path: Path) -> None:
    """A batch whose values stay does not stop by itself; the interruption ends it as a whole."""
    with _theirs(threads=1) as theirs:
        watch = _Cancels(tmp_path)
        length = task(len, name="length")
        kept = flow(lambda: length.map(large.map([str(tmp_path)] * 200, range(200))))
        executor = DaskExecutor(address=theirs.scheduler_address, debug=False)
        run = kept.run(executor=executor, observers=[watch])
        assert run.state is RunState.CANCELLED
        time.sleep(0.5)
        assert len(list(tmp_path.iterdir())) <= watch.begun + 1, (
            "one may have begun before the word was there"
        )


@task
def imports(folder: str) -> str:
    """Import a module for the first time, which takes its time."""
    import importlib
    import sys

    sys.path.insert(0, folder)
    return str(importlib.import_module("takes_its_time").LAST)


@flow
def importing(folder: str) -> Any:
    """One such call."""
    return imports(folder)


def test_an_import_is_not_cut_in_two(tmp_path: Path) -> None:
    """The module is whole for whoever uses that worker next."""
    begun = tmp_path / "begun"
    lines = ["import time", f"with open({str(begun)!r}, 'a') as file: print('begun', file=file)"]
    lines += ["for _ in range(150): time.sleep(0.01)"]
    (tmp_path / "takes_its_time.py").write_text("\n".join([*lines, "LAST = 'there'", ""]))
    with _theirs(threads=1) as cluster, distributed.Client(cluster, set_as_default=False) as client:
        with pytest.raises(KeyboardInterrupt), DaskExecutor(cluster_class=cluster).start() as executor:
            threading.Thread(
                target=importing.run, args=(str(tmp_path),), kwargs={"executor": executor}
            ).start()
            end = time.monotonic() + 60
            while not begun.exists():
                assert time.monotonic() < end
                time.sleep(0.01)
            raise KeyboardInterrupt
        found = client.submit(imports.fn, str(tmp_path), pure=False).result(timeout=60)
    assert found == "there" and begun.read_text() == "begun\n"
