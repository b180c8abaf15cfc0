"""A topic of the scheduler by which calls reach one driver: what they log to it comes to its client.

    call ── worker.log_event ──> scheduler, the topic ──> client ──> handle

The scheduler would keep the last 100,000 events of each topic; of ours it keeps none, and forgets it afterwards. A call
that outlives its driver logs on, which makes the topic anew: it is forgotten once more, when such calls are over.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

import distributed

TOPIC_SECONDS = 5.0
"""How long the scheduler may take to open or to forget a topic."""

FORGET_AGAIN_SECONDS = 60.0
"""After how long the scheduler forgets a topic once more."""


class Topic:
    """One topic, which is opened once, and again under the same name if the client has connected to its scheduler anew.

    prefix: what its name begins with. handle: takes each event, in the client's loop. name: None while it is not open,
    as for ever where the scheduler runs no functions of a client.
    """

    def __init__(
        self, client: distributed.Client, prefix: str, handle: Callable[[tuple[float, Any]], None]
    ) -> None:
        self.client = client
        self.name: str | None = None
        self._prefix = prefix
        self._handle = handle
        self._opening = threading.Lock()
        self._opened_by: object = None

    def open(self) -> str | None:
        """Open it, unless it is. Its name; None if the scheduler refuses."""
        with self._opening:
            connection = self.client.scheduler_comm
            if self.name is None or self._opened_by is not connection:
                name = self.name or self._prefix + uuid.uuid4().hex
                self.client.subscribe_topic(name, self._handle)
                if _on_scheduler(self.client, _keeping_nothing(name)):
                    self.name, self._opened_by = name, connection
                else:
                    self.name = None
                    self._forget(name)
            return self.name

    def close(self) -> None:
        """Have the scheduler forget it."""
        with self._opening:
            if self.name is not None:
                name, self.name = self.name, None
                self._forget(name)

    def _forget(self, name: str) -> None:
        """Have the scheduler forget the client's subscription as well.

        A message of the client's that it unsubscribes might come later, and make the topic anew.
        """
        if not _on_scheduler(self.client, _forgetting(name)):
            with contextlib.suppress(Exception):  # the scheduler may be gone
                self.client.unsubscribe_topic(name)


def _on_scheduler(client: distributed.Client, function: Callable[..., None]) -> bool:
    """Run a function there; whether that went well."""
    if client.status != "running":
        return False
    try:
        client.sync(client._run_on_scheduler, function, callback_timeout=TOPIC_SECONDS)
    except Exception:  # noqa: BLE001  (it is gone, or one that runs no functions: calls are reported all the same)
        return False
    return True


# The functions below are made within others, so that cloudpickle sends them by value: schedulers have no turgo_dask.


def _keeping_nothing(topic: str) -> Callable[..., None]:
    def keep_nothing(dask_scheduler: Any) -> None:
        dask_scheduler._broker._topics[topic].events = deque(maxlen=0)

    return keep_nothing


def _forgetting(topic: str) -> Callable[..., None]:
    def forget(dask_scheduler: Any) -> None:
        topics = dask_scheduler._broker._topics
        topics.pop(topic, None)
        asyncio.get_running_loop().call_later(again, topics.pop, topic, None)

    again = FORGET_AGAIN_SECONDS
    return forget
