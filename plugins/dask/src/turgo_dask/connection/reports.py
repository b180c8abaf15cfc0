"""Reports that come by themselves: a call reports its value as it ends, so nobody has to ask its worker for it.

    call ── value ──> worker.log_event ──> scheduler, a topic of our own ──> client ──> Reports ──take──> fetch
             └─ or by the driver's own connection to its worker ───────────────────────┘

To ask takes a second round trip by way of the scheduler. A call whose report has come is done: that the worker says so
too, and the scheduler after it, is not waited for. What is reported is a copy: the value stays on its worker, and
whatever was not reported (it was large, or its event was lost) is fetched from there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import distributed

from turgo_dask.connection.topic import Topic

KEPT_REPORTS = 1_000
"""How many wait to be taken at most, 64 MiB: those of calls that were given up are never taken, others fetched."""


class Reports:
    """The reports that have come. Written in the client's event loop, taken in any thread.

    on_event: called with the key of each that came by an event.
    """

    def __init__(self, client: distributed.Client) -> None:
        self.client = client
        self._topic = Topic(client, "turgo-reports-", self._received)
        self._reports: OrderedDict[str, bytes] = OrderedDict()
        self._keys: OrderedDict[str, None] = OrderedDict()
        self.on_event: Callable[[str], None] = lambda key: None

    @property
    def topic(self) -> str | None:
        """The name of the topic by which calls report; None while they do not."""
        return self._topic.name

    def open(self) -> None:
        """Have calls report from now on. Without effect if they do, or if the scheduler refuses."""
        self._topic.open()

    def close(self) -> None:
        """Have the scheduler forget the topic."""
        self._topic.close()

    def has(self, key: str) -> bool:
        """Whether the report of a call has come, and not those of a thousand others since."""
        return key in self._keys

    def take(self, key: str) -> bytes | None:
        """The report of a call that is done; None if none has come."""
        return self._reports.pop(key, None)

    def _received(self, event: tuple[float, Any]) -> None:
        if _is_report(event):
            key, report = event[1]
            self.add(key, report)
            self.on_event(key)

    def add(self, key: str, report: bytes) -> None:
        """The report of a call has come; in the client's event loop."""
        state = self.client.futures.get(key)
        if state is None or state.status != "pending":
            return
        self._reports[key] = report
        self._keys[key] = None
        state.finish(bytes)  # as the scheduler says it later, with the type of what is reported
        for kept in (self._reports, self._keys):
            while len(kept) > KEPT_REPORTS:
                with suppress(KeyError):  # it is taken this very moment
                    kept.popitem(last=False)


def _is_report(event: Any) -> bool:
    """Whether an event has the key of a call and its report: whoever reaches the scheduler may send one."""
    content = event[1] if isinstance(event, (tuple, list)) and len(event) == 2 else None
    return isinstance(content, (tuple, list)) and [*map(type, content)] == [str, bytes]
