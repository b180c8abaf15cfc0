"""What a started executor reports of its cluster."""

from __future__ import annotations

import logging

import distributed
import pytest

from turgo_dask import DaskExecutor


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
