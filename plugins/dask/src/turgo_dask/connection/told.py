"""Reports that come by themselves: a call tells its value as it ends, so nobody has to ask its worker for it.

    call ── value ──> worker.log_event ──> scheduler, a topic of our own ──> client ──> Told ──take──> fetch
                                             before "it is done", on the same way

To ask takes a second round trip by way of the scheduler. A call whose report has come is done: that the worker says so
too, and the scheduler after it, is not waited for. What is told is a copy: the value stays on its worker, and whatever
was not told (it was large, or its event was lost) is fetched from there.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import distributed

from turgo_dask.calls.wrappers import ByValue
from turgo_dask.connection.channel import forget_topic, keeps_nothing

MOST_BYTES = 64 * 2**10
"""A larger value is not told: the scheduler would copy it to whoever may not want it."""

KEPT_REPORTS = 1_000
"""How many wait to be taken at most, 64 MiB: those of calls that were given up are never taken, others fetched."""


class Told:
    """The reports that have come. Written in the client's event loop, taken in any thread."""

    def __init__(self, client: distributed.Client) -> None:
        self.client = client
        self.topic: str | None = None
        self._reports: OrderedDict[str, bytes] = OrderedDict()
        self._keys: OrderedDict[str, None] = OrderedDict()

    def open(self) -> None:
        """Have calls tell from now on. Without effect if they do, or if the scheduler refuses."""
        if self.topic is not None:
            return
        topic = f"turgo-told-{uuid.uuid4().hex}"
        self.client.subscribe_topic(topic, self._heard)
        if keeps_nothing(self.client, topic):
            self.topic = topic

    def close(self) -> None:
        """Have the scheduler forget the topic."""
        if self.topic is not None:
            topic, self.topic = self.topic, None
            forget_topic(self.client, topic)

    def wrapped(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        """The call that tells what the call of `fn` returns."""
        return (fn, args) if self.topic is None else (telling(), (self.topic, key, fn, *args))

    def has_come(self, key: str) -> bool:
        """Whether a call has told its report, and not a thousand others since."""
        return key in self._keys

    def take(self, key: str) -> bytes | None:
        """The report of a call that is done; None if it was not told."""
        return self._reports.pop(key, None)

    def _heard(self, event: tuple[float, Any]) -> None:
        key, report = event[1] if _is_report(event) else ("", b"")
        state = self.client.futures.get(key)
        if state is None or state.status != "pending":
            return
        self._reports[key] = report
        self._keys[key] = None
        state.finish(bytes)  # as the scheduler says it later, with the type of what is told
        for kept in (self._reports, self._keys):
            while len(kept) > KEPT_REPORTS:
                with suppress(KeyError):  # it is taken this very moment
                    kept.popitem(last=False)


def _is_report(event: Any) -> bool:
    """Whether an event has the key of a call and its report: whoever reaches the scheduler may send one."""
    told = event[1] if isinstance(event, (tuple, list)) and len(event) == 2 else None
    return isinstance(told, (tuple, list)) and [*map(type, told)] == [str, bytes]


@cache
def telling() -> ByValue:
    """The function that calls another one, and tells the bytes that it returns."""
    most = MOST_BYTES

    def tell(topic: str, key: str, fn: Callable[..., Any], /, *args: Any) -> Any:
        value = fn(*args)
        if type(value) is bytes and len(value) <= most:
            from distributed import get_worker

            get_worker().log_event(topic, (key, value))
        return value

    return ByValue(tell)
