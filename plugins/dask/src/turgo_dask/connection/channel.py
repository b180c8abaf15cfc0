"""Opens a channel from calls to the driver. The bytes that they send arrive as events of the scheduler.

    call ──send──> worker.log_event ──> scheduler, a topic of our own ──> client ──> deliver

The scheduler would keep the last 100,000 events of each topic; of ours it keeps none, and forgets it afterwards.
"""

from __future__ import annotations

import contextlib
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import distributed

CHANNEL_SECONDS = 5.0
"""How long the scheduler may take to open or to forget a topic."""

SURELY_SECONDS = 5.0
"""How long the scheduler may take to confirm what is to arrive even if its worker ends at once."""

Send = Callable[[bytes], None]


@contextmanager
def opened_channel(client: distributed.Client, deliver: Send) -> Iterator[Send | None]:
    """What calls send by it is passed to `deliver`, in the thread of the client. None if the scheduler refuses."""
    topic = f"turgo-{uuid.uuid4().hex}"
    receivers = [deliver]

    def handle(event: tuple[float, bytes]) -> None:
        if type(event[1]) is bytes:
            for receive in receivers:
                receive(event[1])

    client.subscribe_topic(topic, handle)
    try:
        yield _sender(topic) if keeps_nothing(client, topic) else None
    finally:
        receivers.clear()  # the client keeps the handler, and would keep the run with it
        forget_topic(client, topic)


def keeps_nothing(client: distributed.Client, topic: str) -> bool:
    """Have the scheduler keep no event of a topic; whether it does."""
    return _on_scheduler(client, _keeping_nothing(topic))


def forget_topic(client: distributed.Client, topic: str) -> None:
    """Have the scheduler forget a topic, and the client's subscription with it.

    A message of the client's that it unsubscribes might come later, and make the topic anew.
    """
    if not _on_scheduler(client, _forgetting(topic)):
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.unsubscribe_topic(topic)


def _on_scheduler(client: distributed.Client, function: Callable[..., None]) -> bool:
    """Run a function there; whether that went well."""
    if client.status != "running":
        return False
    try:
        client.sync(client._run_on_scheduler, function, callback_timeout=CHANNEL_SECONDS)
    except Exception:  # noqa: BLE001  (it is gone, or one that runs no functions: calls are reported all the same)
        return False
    return True


# The functions below are made within others, so that cloudpickle sends them by value: workers have no turgo_dask.


def _sender(topic: str) -> Send:
    def worker_here() -> Any:
        from distributed.worker import Worker, get_worker

        try:
            return get_worker()
        except ValueError:  # a thread that the call started; the workers of a process have one scheduler
            return next(each for each in Worker._instances if each.status.name == "running")

    def send(data: bytes) -> None:
        worker_here().log_event(topic, data)

    def surely(data: bytes) -> None:
        from distributed.utils import sync

        worker = worker_here()
        sync(worker.loop, worker.scheduler.log_event, topic=topic, msg=data, callback_timeout=timeout)

    timeout = SURELY_SECONDS
    send.surely = surely  # type: ignore[attr-defined]
    return send


def _keeping_nothing(topic: str) -> Callable[..., None]:
    def keep_nothing(dask_scheduler: Any) -> None:
        dask_scheduler._broker._topics[topic].events = deque(maxlen=0)

    return keep_nothing


def _forgetting(topic: str) -> Callable[..., None]:
    def forget(dask_scheduler: Any) -> None:
        dask_scheduler._broker._topics.pop(topic, None)

    return forget
