"""Workers that died, and what the scheduler was doing with our calls then.

scheduler ── event "remove-worker": address, calls that were there ──> Deaths ──> whose death was it?
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import dask.utils
import distributed
from dask.utils import key_split

ALL_EVENTS = "all"
"""The scheduler's topic of what happens to the cluster."""

EVENTS_ANSWER_SECONDS = 1.0
"""How long the scheduler may take to say why a worker is gone."""

SHOWN_NAMES = 3
"""How many tasks are named of those that a worker had."""

KEPT_DEATHS = 1000
"""Of how many workers it is remembered what they had."""


class Deaths:
    """What workers had that died. Written in the client's event loop, read in any thread.

    is_over: whether a call of that key is known to be done, though the scheduler did not know so before the death,
    and nothing else ran in its place.
    """

    def __init__(self, is_over: Callable[[str], bool] = lambda key: False) -> None:
        self._is_over = is_over
        self._had: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._in_order: set[str] = set()

    def note(self, event: Mapping[str, Any]) -> None:
        """Take an event of the scheduler; those of other kinds than the loss of a worker are passed over."""
        if event.get("action") != "remove-worker":
            return
        had = event.get("processing-tasks")
        keys = map(str, had) if isinstance(had, (list, tuple, set, frozenset, dict)) else ()
        worker = str(event.get("worker"))
        self._had[worker] = frozenset(keys)
        self._in_order.discard(worker)
        if event.get("expected"):
            self._in_order.add(worker)
        while len(self._had) > KEPT_DEATHS:
            self._in_order.discard(self._had.popitem(last=False)[0])

    def knows(self, worker: str) -> bool:
        """Whether the scheduler has said that a worker is gone."""
        return worker in self._had

    def retires(self, worker: str) -> None:
        """A worker is about to be ended, and what runs there is to go elsewhere without a failure."""
        self._had.setdefault(worker, frozenset())
        self._in_order.add(worker)

    def left_in_order(self, worker: str) -> bool:
        """Whether a worker was retired, as on a smaller cluster, or beside a call that took too long."""
        return worker in self._in_order

    def came(self, worker: str) -> None:
        """A worker has come, perhaps at the address of one that is gone."""
        self._had.pop(worker, None)
        self._in_order.discard(worker)

    def alone(self, key: str, worker: str) -> bool:
        """Whether a call was the only one that a worker had when it died; False if that is not known."""
        return {each for each in self._had.get(worker, ()) if not self._is_over(each)} == {key}

    def calls_of(self, worker: str) -> list[str]:
        """The names of the tasks that a worker had when it died, as far as their keys say."""
        keys = self._had.get(worker, frozenset())
        return sorted({key_split(key) for key in keys})[:SHOWN_NAMES]


def why_lost(client: distributed.Client | None, worker: str) -> str:
    """Why a worker is gone, as far as it or its nanny reported it to the scheduler; empty if nobody did."""
    if client is None or client.status != "running":
        return ""
    with suppress(Exception):  # this is a hint, and the loss is reported without it too
        for _, event in reversed(_events(client, "worker-restart-memory")):
            if event["worker"] == worker:
                held = dask.utils.format_bytes(event["rss"])
                return f"its nanny ended it, as it had {held} of memory, too near its limit"
        for _, event in reversed(_events(client, worker)):
            if event["action"] == "closing-worker":
                return f"it closed ({event['reason']})"
    return ""


def _events(client: distributed.Client, topic: str) -> Sequence[tuple[float, Any]]:
    """The scheduler's latest events of a topic."""
    found: Sequence[tuple[float, Any]] = client.sync(
        client.scheduler.events, topic=topic, callback_timeout=EVENTS_ANSWER_SECONDS
    )
    return found
