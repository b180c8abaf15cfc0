"""Calls that are submitted at the same time travel to the scheduler together, as one graph.

    submit, any thread ──> waiting ──next turn of the client's event loop──> one graph for each placement ──> scheduler

A graph of its own costs the scheduler two turns of another thread and a message, whatever is in it. A call that is
alone leaves as soon as it would have by itself: the message needs that turn in any case. Nothing overtakes: what takes
the value of a call that waits is sent after it, or the scheduler would not know of it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from itertools import takewhile
from typing import Any

import distributed
from dask._expr import LLGExpr
from dask._task_spec import Task
from distributed.client import ClosedClientError
from distributed.spans import SpanMetadata

from turgo_dask.calls.future import LOST_SCHEDULER

Waiting = tuple[str, Task, dict[str, Any]]
"""A key, its call, and where it may run: the arguments of `Client.submit` that say so."""


class Bunches:
    """The calls that have not left yet."""

    def __init__(self, client: distributed.Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._waiting: list[Waiting] = []
        self._called = False

    def submit(
        self,
        key: str,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        options: dict[str, Any],
        future: distributed.Future | None = None,
    ) -> distributed.Future:
        """The future of a call that can be pickled, whose arguments hold no futures. From any thread.

        options: `workers`, `allow_other_workers`, `resources` and `priority`, as `Client.submit` takes them. future:
        the one that it has, if it has one.
        """
        future = future or distributed.Future(key, self.client)
        with self._lock:
            self._waiting.append((key, Task(key, fn, *args), options))
            if not self._called:
                self.client.loop.add_callback(self.send)
                self._called = True  # after it: Ctrl-C may come in between
        return future

    def send(self) -> None:
        """Send what waits, in its order. Once it returns, all has left that was submitted before. From any thread."""
        with self._sending:
            while calls := self._next():
                graph = {key: task for key, task, _ in calls}
                try:
                    self._send_graph(graph, **calls[0][2])
                except Exception as error:  # noqa: BLE001  (a closed client, or a defect: nobody else could tell)
                    self.client.loop.add_callback(self._failed, list(graph), error)
                with self._lock:
                    del self._waiting[: len(calls)]  # after it: what is sent twice is known by its key

    def _next(self) -> list[Waiting]:
        """The first calls that wait and that ask for the same."""
        with self._lock:
            self._called = False
            options = self._waiting[0][2] if self._waiting else {}
            return list(takewhile(lambda call: call[2] == options, self._waiting))

    def _failed(self, keys: list[str], error: Exception) -> None:
        """They could not be sent. In the client's event loop."""
        for state in filter(None, map(self.client.futures.get, keys)):
            if state.done():
                continue
            if isinstance(error, ClosedClientError):
                state.cancel(reason=LOST_SCHEDULER)
            else:
                state.set_error(error, None)

    def _send_graph(self, graph: dict[str, Task], *, priority: int = 0, **options: Any) -> None:
        self.client._graph_to_futures(
            LLGExpr(graph, _determ_token=uuid.uuid4().hex),  # else all of it would be hashed
            list(graph),
            span_metadata=SpanMetadata(collections=[{"type": "Future"}]),
            internal_priority={key: place for place, key in enumerate(graph)},
            user_priority=priority,
            **options,
        )
