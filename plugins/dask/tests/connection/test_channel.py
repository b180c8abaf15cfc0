"""A channel: what calls send reaches the driver, and the scheduler keeps none of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import distributed
from distributed.scheduler import KilledWorker

from turgo_dask.connection.channel import Channels
from turgo_dask.supervision.lease import lease

END_SECONDS = 60


def sends(send: Callable[[bytes], None], count: int) -> int:
    """A call that sends, and a thread of it that does."""
    for number in range(count):
        send(str(number).encode())
    thread = threading.Thread(target=send, args=(b"thread",))
    thread.start()
    thread.join()
    return count


def test_what_a_call_sends_is_delivered_in_order(
    client: distributed.Client, kept_events: Callable[[str], dict[str, int]]
) -> None:
    """From its own thread and from one that it starts; the scheduler keeps no event, and forgets the topic."""
    came: list[bytes] = []
    whole = threading.Event()

    def deliver(data: bytes) -> None:
        came.append(data)
        if data == b"thread":
            whole.set()

    channels = Channels(client)
    with channels.opened(deliver) as send:
        assert send is not None
        assert client.submit(sends, send, 3).result(timeout=END_SECONDS) == 3
        assert whole.wait(END_SECONDS)
        assert list(kept_events("turgo-").values()) == [0]
    assert came == [b"0", b"1", b"2", b"thread"]
    channels.close()
    assert kept_events("turgo-") == {}


def test_two_channels_are_told_apart(client: distributed.Client) -> None:
    """Each driver gets what its own calls send."""
    first: list[bytes] = []
    second: list[bytes] = []
    whole = threading.Event()
    channels = Channels(client)
    with channels.opened(first.append) as one, channels.opened(second.append) as other:
        assert one is not None and other is not None
        client.submit(one, b"for one").result(timeout=END_SECONDS)
        client.submit(other, b"for the other").result(timeout=END_SECONDS)
        with channels.opened(lambda _: whole.set()) as last:
            assert last is not None
            client.submit(last, b"").result(timeout=END_SECONDS)
            assert whole.wait(END_SECONDS)
    assert (first, second) == ([b"for one"], [b"for the other"])


def test_what_comes_by_a_closed_channel_is_dropped(client: distributed.Client) -> None:
    """As from a call that was given up with its run; the next run has the same topic, and gets nothing of it."""
    channels = Channels(client)
    first: list[bytes] = []
    second: list[bytes] = []
    whole = threading.Event()
    with channels.opened(first.append) as early:
        assert early is not None

    def deliver(data: bytes) -> None:
        second.append(data)
        whole.set()

    with channels.opened(deliver) as late:
        assert late is not None
        client.submit(early, b"too late").result(timeout=END_SECONDS)
        client.submit(late, b"in time").result(timeout=END_SECONDS)
        assert whole.wait(END_SECONDS)
    assert (first, second) == ([], [b"in time"])


def test_a_channel_costs_no_round_trip_once_there_was_one(client: distributed.Client) -> None:
    """Each run opens one, and many are short."""
    channels = Channels(client)
    with channels.opened(lambda data: None):
        pass

    def refused(*args: Any, **options: Any) -> None:
        raise AssertionError("the scheduler was asked")

    client.sync, asked = refused, client.sync
    try:
        with channels.opened(lambda data: None) as send:
            assert send is not None
    finally:
        client.sync = asked
        channels.close()


def test_what_is_sent_surely_arrives_although_its_worker_ends_at_once(client: distributed.Client) -> None:
    """Before its call is known to be lost; also from a thread that the call starts."""
    came: list[bytes] = []

    def end(send: Any) -> None:
        import os
        import threading

        thread = threading.Thread(target=send.surely, args=(b"thread",))
        thread.start()
        thread.join()
        send.surely(b"last words")
        os._exit(3)

    with Channels(client).opened(came.append) as send:
        client.register_plugin(lease(client.id))
        error = client.submit(end, send).exception(timeout=END_SECONDS)
        assert isinstance(error, KilledWorker)
        assert came == [b"thread", b"last words"]
