"""Reports that come by themselves, and those that have to be fetched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import distributed
import pytest
from distributed.client import FutureState

from turgo_dask.connection.reports import KEPT_REPORTS, Reports
from turgo_dask.slots.on_worker import MOST_TOLD_BYTES
from turgo_dask.slots.shipped import telling

END_SECONDS = 60


def submitted(
    client: distributed.Client, reports: Reports, key: str, fn: Callable[..., Any], *args: Any
) -> Any:
    """The future of a call that reports, once it is done."""
    wrapped, arguments = (fn, args) if reports.topic is None else telling(reports.topic, key, fn, args)
    future = client.submit(wrapped, *arguments, key=key, pure=False)
    future.exception(timeout=END_SECONDS)
    return future


def test_a_report_is_there_when_its_call_is_done(
    client: distributed.Client, kept_events: Callable[[str], dict[str, int]]
) -> None:
    """Before anybody asks; once only, and the value stays where it was made. The scheduler keeps none of it."""
    reports = Reports(client)
    reports.open()
    reports.open()
    for number in range(50):
        future = submitted(client, reports, f"call-{number}", bytes, number)
        assert reports.take(future.key) == bytes(number)
        assert reports.take(future.key) is None
        assert future.result(timeout=END_SECONDS) == bytes(number)
    assert list(kept_events("turgo-reports-").values()) == [0]
    reports.close()
    assert kept_events("turgo-reports-") == {}


def test_a_call_is_done_once_its_report_is_there(client: distributed.Client, tmp_path: Path) -> None:
    """Whatever its worker still has to do; what the scheduler says later changes nothing."""

    def lingers(file: str, fn: Callable[..., Any], *args: Any) -> Any:
        import os
        import time

        value = fn(*args)
        while not os.path.exists(file):
            time.sleep(0.01)
        return value

    reports = Reports(client)
    reports.open()
    assert reports.topic is not None
    wrapped, arguments = telling(reports.topic, "call", bytes, (3,))
    future = client.submit(lingers, str(tmp_path / "end"), wrapped, *arguments, key="call", pure=False)
    assert future.exception(timeout=END_SECONDS) is None and future.type is bytes
    (state,) = client.run_on_scheduler(
        lambda dask_scheduler: [task.state for task in dask_scheduler.tasks.values() if task.key == "call"]
    )
    assert state == "processing" and reports.take("call") == bytes(3)
    (tmp_path / "end").touch()
    while not client.who_has([future])["call"]:  # the guard of the test run ends this if it never comes
        time.sleep(0.01)
    assert future.result(timeout=END_SECONDS) == bytes(3)
    reports.close()


def test_what_is_no_small_report_is_fetched(client: distributed.Client) -> None:
    """Nor an error, nor anything before it is opened."""
    reports = Reports(client)
    early = submitted(client, reports, "early", bytes, 1)
    reports.open()
    large = submitted(client, reports, "large", bytes, MOST_TOLD_BYTES + 1)
    number = submitted(client, reports, "number", int, 3)
    failed = submitted(client, reports, "failed", int, "three")
    for future in (early, large, number, failed):
        assert reports.take(future.key) is None
    assert len(large.result(timeout=END_SECONDS)) == MOST_TOLD_BYTES + 1 and number.result() == 3
    with pytest.raises(ValueError, match="three"):
        failed.result(timeout=END_SECONDS)
    reports.close()


def test_what_nobody_takes_is_not_kept_for_ever(client: distributed.Client) -> None:
    """A call that was given up reports, too; that of one whose future is gone is dropped."""
    reports = Reports(client)
    reports._received((time.time(), ("unknown", b"report")))
    assert reports.take("unknown") is None
    for number in range(KEPT_REPORTS + 5):
        reports._reports[f"given-up-{number}"] = b""
    reports.open()
    future = submitted(client, reports, "call", bytes, 1)
    assert len(reports._reports) == KEPT_REPORTS
    assert reports.take("given-up-0") is None and reports.take(future.key) == bytes(1)
    reports.close()


@pytest.mark.parametrize(
    "event", [None, (), (1.0,), (1.0, None), (1.0, ("key",)), (1.0, (["key"], b"")), (1.0, ("key", "text"))]
)
def test_an_event_that_is_no_report_is_passed_over(event: Any) -> None:
    """Whoever reaches the scheduler may send one; the value is fetched from its worker then."""
    reports = Reports(SimpleNamespace(futures={"key": FutureState("key")}))
    reports._received(event)
    assert reports.take("key") is None
    reports._received((1.0, ("key", b"a report")))
    assert reports.take("key") == b"a report"
