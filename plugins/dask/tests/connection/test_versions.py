"""Versions are compared between driver, scheduler and workers."""

from __future__ import annotations

import logging
import time
from typing import Any

import distributed
import pytest

from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor
from turgo_dask.connection.versions import differences
from turgo_dask.supervision import watch as watching

QUIET: dict[str, Any] = {
    "dashboard_address": "127.0.0.1:0",
    "silence_logs": logging.CRITICAL,
    "host": "127.0.0.1",
}


def test_another_python_is_an_error_and_another_package_is_told_of() -> None:
    """What breaks pickling is told apart from the rest, place by place."""
    here = {"python": "3.12.3.final.0", "cloudpickle": "3.1.1", "dask": "2026.1.0", "numpy": "2.1"}
    there = {
        "the scheduler": {"python": "3.12.3.final.0", "cloudpickle": "3.1.1", "dask": "2026.1.0"},
        "the worker a": {**here, "python": "3.11.9.final.0"},
        "the worker b": {**here, "cloudpickle": "2.2.1"},
        "the worker c": {**here, "python": "3.12.9.final.0", "dask": "2025.1.0", "numpy": None},
    }
    broken, odd = differences(here, there, ["cloudpickle", "dask", "numpy"])
    assert broken == [
        "python is 3.12.3 here, 3.11.9 on the worker a",
        "cloudpickle is 3.1.1 here, 2.2.1 on the worker b",
    ]
    assert odd == [
        "dask is 2026.1.0 here, 2025.1.0 on the worker c",
        "numpy is 2.1 here, not installed on the worker c",
    ]


def test_versions_are_asked_of_every_worker(
    theirs: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that are the same are not told of; a worker of another Python is refused before anything runs."""
    options: dict[str, Any] = {
        "address": theirs.scheduler_address,
        "debug": False,
        "check_packages": ["tornado"],
    }
    with DaskExecutor(**options).start():
        time.sleep(0.2)  # it is told of by another thread
    assert "here," not in caplog.text
    worker = theirs.workers[0]
    monkeypatch.setitem(
        worker.handlers,
        "versions",
        lambda packages=(): {"packages": {"python": "2.7.18", "cloudpickle": "3.0"}},
    )
    with pytest.raises(ExecutorStartError, match=r"2\.7\.18 on the worker"), DaskExecutor(**options).start():
        pass


def test_a_worker_of_another_python_that_comes_later_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with an adaptive cluster, which has none at the start."""
    monkeypatch.setattr(watching, "LOOK_INTERVAL_SECONDS", 0.2)
    with (
        distributed.LocalCluster(n_workers=1, processes=False, protocol="tcp", **QUIET) as cluster,
        DaskExecutor(address=cluster.scheduler_address, debug=False).start() as executor,
    ):
        other = {"packages": {"python": "2.7.18", "cloudpickle": "3.0"}}
        monkeypatch.setattr(distributed.node, "get_versions", lambda packages=(): other)
        cluster.scale(2)
        told: list[str] = []
        end = time.monotonic() + 60
        while not any("2.7.18 on the worker" in each for each in told):
            assert time.monotonic() < end
            told += [event.message for event in executor.events() if event.kind == "versions_differ"]
            time.sleep(0.1)
