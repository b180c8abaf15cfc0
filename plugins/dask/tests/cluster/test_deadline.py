"""The seconds that a start may still take."""

from __future__ import annotations

import time

import pytest

from turgo_dask.cluster import deadline as deadline_module
from turgo_dask.cluster.deadline import LEAST_WAIT_SECONDS, Deadline


def test_it_counts_down_to_a_least_wait() -> None:
    """What is left shrinks, and a step that comes after the end still gets one short wait."""
    deadline = Deadline(60.0)
    first = deadline.left
    time.sleep(0.01)
    assert deadline.left < first <= 60.0
    assert not deadline.over
    late = Deadline(0.0)
    assert late.over
    assert late.left == LEAST_WAIT_SECONDS
    assert late.seconds == 0.0


def test_a_wait_is_reported_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first second on, then each minute, with the seconds so far; what takes long is urgent in any case."""
    now = [100.0]
    monkeypatch.setattr(deadline_module.time, "monotonic", lambda: now[0])
    lines: list[tuple[str, bool]] = []
    deadline = Deadline(300.0, lambda line, urgent: lines.append((line, urgent)))
    for tenths in range(2500):
        now[0] = 100.0 + tenths / 10
        deadline.waiting("waiting for a worker (requested: 3)", urgent=False)
    assert [line.partition(", for ")[2] for line, _ in lines] == [
        f"{seconds} s so far; start_timeout is 300 s" for seconds in (1, 2, 4, 8, 16, 32, 64, 124, 184, 244)
    ]
    assert lines[0][0].startswith("dask: waiting for a worker (requested: 3)")
    assert [urgent for _, urgent in lines] == [False] * 3 + [True] * 7


def test_a_step_ends_sooner_and_reports_as_the_start_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """It never ends later than the start itself."""
    now = [100.0]
    monkeypatch.setattr(deadline_module.time, "monotonic", lambda: now[0])
    lines: list[str] = []
    deadline = Deadline(10.0, lambda line, urgent: lines.append(line))
    now[0] = 108.0
    assert deadline.sooner(60.0).seconds == 2.0
    step = deadline.sooner(1.0)
    assert step.seconds == 1.0
    now[0] = 109.5
    assert step.over and not deadline.over
    step.waiting("nothing listens")
    assert len(lines) == 1
