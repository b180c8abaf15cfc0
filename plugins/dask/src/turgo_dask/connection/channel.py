"""Channels from calls to the driver, one for each run. The bytes that are sent arrive as events of the scheduler.

    call ──send──> worker.log_event ──> a topic that all channels of a client share ──> the receiver of that channel

What comes by a channel that is closed, as from a call that was given up, is dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import distributed

from turgo_dask.connection.topic import Topic

SURELY_SECONDS = 5.0
"""How long the scheduler may take to confirm what is to arrive even if its worker ends at once."""

Send = Callable[[bytes], None]


class Channels:
    """Those of one client."""

    def __init__(self, client: distributed.Client) -> None:
        self._topic = Topic(client, "turgo-channels-", self._handle)
        self._receivers: dict[str, Send] = {}

    @contextmanager
    def opened(self, deliver: Send) -> Iterator[Send | None]:
        """What calls send by it is passed to `deliver`, in the thread of the client. None if the scheduler refuses."""
        topic, channel = self._topic.open(), uuid.uuid4().hex
        self._receivers[channel] = deliver
        try:
            yield None if topic is None else _sender(topic, channel)
        finally:
            del self._receivers[channel]

    def close(self) -> None:
        """Have the scheduler forget their topic."""
        self._topic.close()

    def _handle(self, event: tuple[float, Any]) -> None:
        """Pass on what came: whoever reaches the scheduler may send anything."""
        content = event[1]
        if isinstance(content, (tuple, list)) and [*map(type, content)] == [str, bytes]:
            channel, data = content
            receive = self._receivers.get(channel)
            if receive is not None:
                receive(data)


def _sender(topic: str, channel: str) -> Send:
    """The function that sends. It is made here, so that cloudpickle sends it by value: workers have no turgo_dask."""

    def worker_here() -> Any:
        from distributed.worker import Worker, get_worker

        try:
            return get_worker()
        except ValueError:  # a thread that the call started; the workers of a process have one scheduler
            return next(each for each in Worker._instances if each.status.name == "running")

    def send(data: bytes) -> None:
        worker_here().log_event(topic, (channel, data))

    def surely(data: bytes) -> None:
        from distributed.utils import sync

        worker = worker_here()
        sync(
            worker.loop,
            worker.scheduler.log_event,
            topic=topic,
            msg=(channel, data),
            callback_timeout=timeout,
        )

    timeout = SURELY_SECONDS
    send.surely = surely  # type: ignore[attr-defined]
    return send
