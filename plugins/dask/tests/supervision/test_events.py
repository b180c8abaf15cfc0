"""Events are logged at once, and kept until they are taken."""

from __future__ import annotations

import logging

import pytest

from turgo_dask.supervision.events import Events


def test_events_are_taken_once_in_their_order(caplog: pytest.LogCaptureFixture) -> None:
    """What asks for action is logged as a warning, the rest as news."""
    events = Events()
    with caplog.at_level(logging.INFO, "turgo_dask"):
        events.report("worker_left", "a worker is gone", worker="tcp://a:1")
        events.starting("starting", False)
        events.starting("nothing listens", True)
    taken = events.take()
    assert [event.kind for event in taken] == ["worker_left", "starting", "waiting"]
    assert taken[0].worker == "tcp://a:1"
    assert events.take() == []
    levels = [logging.INFO, logging.INFO, logging.WARNING]
    assert [record.levelno for record in caplog.records] == levels
    assert [event.logged for event in taken] == [("turgo_dask", level) for level in levels]
