"""A topic of the scheduler: opened once, forgotten at the end, refused where functions of a client are not run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import distributed
import pytest

from turgo_dask.connection import topic as topics
from turgo_dask.connection.topic import Topic

END_SECONDS = 60


def test_a_topic_is_opened_once_and_forgotten(
    client: distributed.Client, kept_events: Callable[[str], dict[str, int]]
) -> None:
    """What is logged to it comes, and is not kept. After that a topic of another name may be opened."""
    came: list[Any] = []
    heard = threading.Event()

    def handle(event: tuple[float, Any]) -> None:
        came.append(event[1])
        heard.set()

    topic = Topic(client, "turgo-test-", handle)
    assert topic.name is None
    name = topic.open()
    assert name is not None and topic.open() == name == topic.name
    client.submit(_logs, name, "said").result(timeout=END_SECONDS)
    assert heard.wait(END_SECONDS) and came == ["said"]
    assert kept_events("turgo-test-") == {name: 0}
    topic.close()
    topic.close()
    assert topic.name is None and kept_events("turgo-test-") == {}
    assert topic.open() not in (None, name)
    topic.close()


def _logs(topic: str, said: str) -> None:
    distributed.get_worker().log_event(topic, said)


def test_what_is_logged_to_a_forgotten_topic_is_forgotten_as_well(
    client: distributed.Client,
    kept_events: Callable[[str], dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As by a call that was cancelled and runs on: the scheduler has made the topic anew, and keeps its events."""
    monkeypatch.setattr(topics, "FORGET_AGAIN_SECONDS", 2.0)
    topic = Topic(client, "turgo-test-", lambda event: None)
    name = topic.open()
    assert name is not None
    topic.close()
    client.submit(_logs, name, "late").result(timeout=END_SECONDS)
    until = time.monotonic() + END_SECONDS
    while kept_events("turgo-test-") and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.1)
    assert kept_events("turgo-test-") == {}


def test_a_scheduler_that_refuses_has_no_topic_and_may_be_asked_again(
    client: distributed.Client,
    kept_events: Callable[[str], dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that runs no functions of a client, or that was too busy to answer in time."""

    async def refuses(*args: Any, **options: Any) -> None:
        raise ValueError("this scheduler runs no functions")

    with monkeypatch.context() as patch:
        patch.setattr(client, "_run_on_scheduler", refuses)
        topic = Topic(client, "turgo-test-", lambda event: None)
        assert topic.open() is None and topic.name is None
        topic.close()
    assert topic.open() is not None
    assert topic.name in kept_events("turgo-test-")
    topic.close()


class Anew:
    """Another connection to the same scheduler, as a client has one after it has lost the first."""

    def __init__(self, comm: Any) -> None:
        self._comm = comm

    def __getattr__(self, name: str) -> Any:
        return getattr(self._comm, name)


def test_a_client_that_has_connected_anew_opens_its_topic_anew(
    client: distributed.Client,
    kept_events: Callable[[str], dict[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its scheduler may be another one at the same address, which knows of nothing; calls have the old name."""
    topic = Topic(client, "turgo-test-", lambda event: None)
    name = topic.open()

    def forgets(dask_scheduler: Any) -> None:
        del dask_scheduler._broker._topics[name]

    client.run_on_scheduler(forgets)
    assert (
        topic.open() == name and kept_events("turgo-test-") == {}
    )  # nothing is asked while nothing has changed
    monkeypatch.setattr(client, "scheduler_comm", Anew(client.scheduler_comm))
    assert topic.open() == name and kept_events("turgo-test-") == {name: 0}
    monkeypatch.undo()
    topic.close()
