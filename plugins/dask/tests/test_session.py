"""What a started executor shows: slots, dashboard, the report of dask."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

import distributed
import pytest

from turgo_dask import DaskExecutor

ONE = {"n_workers": 1, "threads_per_worker": 1, "processes": False}


def test_slots_are_the_threads_of_the_workers(cluster: DaskExecutor) -> None:
    """One for each thread of each worker."""
    assert cluster.slots == 2


def test_the_dashboard_is_in_the_log_and_in_an_event(
    theirs: distributed.LocalCluster, caplog: pytest.LogCaptureFixture
) -> None:
    """As soon as it is known."""
    with (
        caplog.at_level(logging.INFO, "turgo_dask"),
        DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor,
    ):
        *_, event = executor.events()  # before it come lines about a start that takes its time
        assert event.kind in ("dashboard", "started")
        assert executor.dashboard_link == event.link
        assert "1 worker at tcp://127.0.0.1" in caplog.text
        assert not executor.events()
    assert executor.dashboard_link is None


def test_a_client_that_does_not_close_in_time_is_no_error(
    theirs: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that has much else to do: all calls are over, and it was a traceback after the summary."""
    closes = distributed.Client.close

    def close(self: distributed.Client, timeout: float = 0.0) -> None:
        was_open = self.status != "closed"
        closes(self)
        if was_open:  # not as it is finalized
            raise TimeoutError(f"timed out after {timeout} s.")

    monkeypatch.setattr(distributed.Client, "close", close)
    with DaskExecutor(address=theirs.scheduler_address, debug=False).start() as executor:
        assert executor.submit(abs, -3).result() == 3


def test_the_report_of_dask_is_written(tmp_path: Path) -> None:
    """To the path that was asked for."""
    pytest.importorskip("bokeh")
    path = tmp_path / "report.html"
    with DaskExecutor(cluster_kwargs=ONE, performance_report=str(path), debug=False).start() as executor:
        executor.wait(executor.map(abs, range(5)))
    assert "Dask Performance Report" in path.read_text("utf-8")
