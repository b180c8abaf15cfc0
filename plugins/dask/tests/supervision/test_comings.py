"""Workers that come and go faster than anybody looks, and crash loops."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import distributed
import pytest

from turgo_dask import DaskExecutor
from turgo_dask.supervision import comings as coming
from turgo_dask.supervision.comings import LOOP_WORKERS, Comings

END_SECONDS = 60


class Told:
    """Keeps what is reported."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def __call__(self, kind: str, message: str, *, worker: str | None = None) -> None:
        self.events.append((kind, message))

    @property
    def kinds(self) -> list[str]:
        """What happened, in order."""
        return [kind for kind, _ in self.events]


def came(worker: str) -> dict[str, Any]:
    """The event of a worker that has come."""
    return {"action": "add-worker", "worker": worker}


def went(worker: str, *, expected: bool = False) -> dict[str, Any]:
    """The event of a worker that has gone."""
    return {"action": "remove-worker", "worker": worker, "expected": expected}


def test_what_no_event_told_is_seen(told: Told, comings: Comings) -> None:
    """A worker that came before the scheduler knew of a listener, and one that left unheard; each once."""
    for _ in range(3):
        comings.seen({"tcp://first", "tcp://second"}, {"tcp://first", "tcp://second", "tcp://third"})
    assert told.kinds == ["worker_arrived"] and "tcp://second" in told.events[0][1]
    for _ in range(3):
        comings.seen({"tcp://second"}, {"tcp://second"})
    assert told.kinds == ["worker_arrived", "worker_left"] and "tcp://first" in told.events[1][1]
    assert comings.loop is None


def test_an_event_is_newer_than_a_look(told: Told, comings: Comings) -> None:
    """Who came or went after the look is not told of again."""
    comings.note(came("tcp://second"))
    comings.note(went("tcp://first"))
    comings.seen({"tcp://first"}, {"tcp://first"})
    assert told.kinds == ["worker_arrived", "worker_left"]
    comings.note(came("tcp://first"))  # at the same address
    assert told.kinds[2:] == ["worker_arrived"]


@pytest.fixture
def told() -> Told:
    """What is reported."""
    return Told()


@pytest.fixture
def comings(told: Told) -> Comings:
    """Of a cluster that has one worker as this begins."""
    found = Comings(told)
    found.start(["tcp://first"])
    return found


def test_each_worker_that_comes_or_goes_is_told_of_once(told: Told) -> None:
    """Also what happened while the list of those that are no news was asked for, on either side of it."""
    comings = Comings(told)
    comings.note(came("tcp://a"))
    comings.note(came("tcp://b"))
    comings.note(went("tcp://gone before"))
    comings.note({"action": "add-client", "client": "c"})
    assert told.events == []
    comings.start(["tcp://a"])
    comings.note(went("tcp://a", expected=True))
    comings.note(went("tcp://b"))
    assert [message for _, message in told.events] == [
        "a worker arrived: tcp://b",
        "the worker tcp://a is gone, 1 left",
        "the worker tcp://b is gone, none is left",
    ]


def test_a_crash_loop_is_told_of_once_with_the_reason(comings: Comings, told: Told) -> None:
    """Of workers that die young; those that were there before, that are old or that are taken away make none."""
    comings.note(went("tcp://first"))
    for number in range(2 * LOOP_WORKERS):
        comings.note(came(f"tcp://{number}"))
        comings.note(went(f"tcp://{number}", expected=True))
    assert comings.loop is None
    for number in range(2 * LOOP_WORKERS):
        comings.note(came(f"tcp://{number}"))
        comings.note(went(f"tcp://{number}"))
        comings.tell_loop(lambda worker: f"{worker} was tired")
    assert told.kinds.count("crash_loop") == 1
    message = next(message for kind, message in told.events if kind == "crash_loop")
    assert message.endswith(f"The last was tcp://{LOOP_WORKERS - 1}: tcp://{LOOP_WORKERS - 1} was tired")


def test_workers_that_die_old_or_now_and_then_make_no_loop(
    comings: Comings, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long run may lose many."""
    now = [1000.0]
    monkeypatch.setattr(coming.time, "monotonic", lambda: now[0])
    for number, seconds in enumerate([coming.YOUNG_SECONDS + 1] * 10 + [1.0] * 10):
        comings.note(came(f"tcp://{number}"))
        now[0] += seconds
        comings.note(went(f"tcp://{number}"))
        now[0] += coming.LOOP_SECONDS / (LOOP_WORKERS - 1)
    assert comings.loop is None


def kill_the_worker(cluster: distributed.LocalCluster) -> str:
    """End the one worker that a cluster has, or is about to have; gives its address once the scheduler knows of it."""
    (nanny,) = cluster.workers.values()
    end = time.monotonic() + END_SECONDS
    while nanny.worker_address not in cluster.scheduler.workers:
        assert time.monotonic() < end
        time.sleep(0.02)
    address: str = nanny.worker_address
    os.kill(nanny.pid, signal.SIGKILL)
    while address in cluster.scheduler.workers:
        assert time.monotonic() < end
        time.sleep(0.02)
    return address


def test_a_loop_of_workers_that_nobody_looked_at_is_told_of(
    nannied: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each that came and went between two looks is an event, and so is the loop, however long a start takes here."""
    monkeypatch.setattr(coming, "LOOP_WORKERS", 2)
    for name in ("YOUNG_SECONDS", "LOOP_SECONDS"):
        monkeypatch.setattr(coming, name, 1000.0)
    with (
        nannied(1, 1) as cluster,
        DaskExecutor(address=cluster.scheduler_address, debug=False).start() as executor,
    ):
        seen = {kill_the_worker(cluster) for _ in range(3)}  # the first one was there before
        end = time.monotonic() + END_SECONDS
        events = list(executor.events())
        while "crash_loop" not in [event.kind for event in events]:
            assert time.monotonic() < end
            time.sleep(0.05)
            events += executor.events()
    came_and_went = [event for event in events if event.kind in ("worker_arrived", "worker_left")]
    assert {event.worker for event in came_and_went} >= seen
    (loop,) = [event for event in events if event.kind == "crash_loop"]
    assert "2 of them were less than" in loop.message
