"""The driver's own connections to workers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import distributed
import pytest

from turgo_dask.connection.client import Client
from turgo_dask.slots import streams as connections
from turgo_dask.slots.streams import Streams

END_SECONDS = 60


@pytest.fixture
def client(nannied: Callable[[int, int], Any]) -> Iterator[Client]:
    """Of a cluster of two workers with a process each."""
    with nannied(2, 1) as cluster, Client(cluster, set_as_default=False) as found:
        yield found


class Noted(Streams):
    """Writes down what comes, and which connections break."""

    def __init__(self, client: distributed.Client, topic: str = "turgo-told-test") -> None:
        self.came: list[tuple[str, Mapping[str, Any]]] = []
        self.broken: list[str] = []
        super().__init__(client, topic, lambda *each: self.came.append(each), self.broken.append)


def until(happened: Callable[[], Any]) -> None:
    """Wait until it has."""
    end = time.monotonic() + END_SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def workers_of(client: distributed.Client) -> list[str]:
    """Their addresses."""
    return sorted(client.scheduler_info(n_workers=-1)["workers"])


def test_one_connection_to_each_worker(client: Client) -> None:
    """However often it is asked for; the worker has its end until the driver closes it."""
    streams, workers = Noted(client), workers_of(client)

    def installed(dask_worker: Any) -> list[str]:
        return [*getattr(dask_worker, "turgo_slots", {}), *(n for n in dask_worker.handlers if "turgo" in n)]

    for _ in range(2):
        client.loop.add_callback(streams.connect, workers)
    until(lambda: all(address in streams for address in workers))
    assert list(client.run(installed).values()) == [["turgo-told-test", "turgo-told-test-slots"]] * 2
    client.loop.add_callback(streams.close)
    until(lambda: not streams)
    until(lambda: list(client.run(installed).values()) == [[], []])
    assert streams.broken == []


def test_a_worker_needs_nothing_of_ours_to_install_its_end() -> None:
    """It has distributed alone."""
    opens = (
        "import pickle, sys; sys.modules['turgo_dask'] = None; print(pickle.load(sys.stdin.buffer).__name__)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", opens], input=connections._installing(), capture_output=True, check=False
    )
    assert ran.stdout.strip() == b"install", ran.stderr


def test_a_slot_that_nobody_holds_is_gone(client: Client) -> None:
    """The call comes back, not made. Letting it go says nothing."""
    streams, (worker, _) = Noted(client), workers_of(client)
    assert not streams.send(worker, "slot", "key", b"")
    client.loop.add_callback(streams.connect, [worker])
    until(lambda: worker in streams)
    client.loop.add_callback(streams.send, worker, "slot")
    client.loop.add_callback(streams.send, worker, "slot", "key", b"call")
    until(lambda: streams.came)
    assert streams.came == [(worker, {"key": "key", "slot": "slot", "held": False, "gone": True})]
    client.loop.add_callback(streams.close)


def test_a_worker_that_dies_breaks_its_connection_alone(client: Client) -> None:
    """And the one that its nanny starts in its place is another one."""
    streams, workers = Noted(client), workers_of(client)
    client.loop.add_callback(streams.connect, workers)
    until(lambda: all(address in streams for address in workers))
    future = client.submit(_ends, workers=[workers[0]])
    until(lambda: streams.broken)
    assert streams.broken == [workers[0]] and workers[1] in streams
    future.cancel()
    client.loop.add_callback(streams.close)


def _ends() -> None:
    import os

    os._exit(3)


def test_after_some_that_do_not_answer_no_further_one_is_tried(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs five seconds of a connection that comes to nothing."""
    tried: list[str] = []

    async def refused(address: str, **options: Any) -> Any:
        tried.append(address)
        raise OSError("nobody is there")

    monkeypatch.setattr(connections, "connect", refused)
    streams = Noted(client)
    for number in range(10):
        client.loop.add_callback(streams.connect, [f"tcp://127.0.0.1:{number + 1}"])
        time.sleep(0.02)
    until(lambda: not streams._tasks)
    assert len(tried) == connections.REFUSED_CONNECTIONS


def test_a_worker_that_the_scheduler_has_lost_is_left(client: Client) -> None:
    """Whether its connection breaks or not. It may come again."""
    streams, (worker, _) = Noted(client), workers_of(client)
    client.loop.add_callback(streams.connect, [worker])
    until(lambda: worker in streams)
    client.loop.add_callback(streams.disconnect, worker)
    until(lambda: streams.broken == [worker])
    assert not streams and not streams.send(worker, "slot")
    client.loop.add_callback(streams.connect, [worker])
    until(lambda: worker in streams)
    client.loop.add_callback(streams.close)
