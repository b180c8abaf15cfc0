"""Values that were kept where a call was handed, and that the scheduler is to have there: calls that take them over.

    worker: value kept ── driver: a call that takes it, bound to that worker ──> scheduler ──> in memory: bound no more

A call that is bound to a worker waits for ever if it is to be made again when no worker is left: distributed gives it
to another one that is there at that moment, as `allow_other_workers` says, and to none that comes later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import distributed

UNBIND_SECONDS = 0.01
"""How long calls are collected that the scheduler is to unbind."""

UNBIND_AGAIN_SECONDS = 0.1
"""Until the scheduler is asked again that did not know a call yet."""


class TakenOver:
    """The calls that are bound to workers. In the client's event loop."""

    def __init__(self, client: distributed.Client) -> None:
        self.client = client
        self._bound: dict[str, str] = {}
        self._unbinding: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def bind(self, key: str, address: str) -> dict[str, Any]:
        """The options of a call that takes over what is kept at an address. It goes first, or another may take it."""
        self._bound[key] = address
        return {"workers": [address], "allow_other_workers": True, "priority": 1}

    def ended(self, key: str) -> None:
        """The scheduler has the value of a call, or has lost it."""
        if self._bound.pop(key, None) is not None:
            self._unbind([key])

    def lost(self, address: str) -> None:
        """A worker is gone."""
        keys = [key for key, bound in self._bound.items() if bound == address]
        for key in keys:
            del self._bound[key]
        self._unbind(keys)

    def _unbind(self, keys: Sequence[str]) -> None:
        self._unbinding.update(keys)
        if self._unbinding and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._unbound())

    async def _unbound(self) -> None:
        seconds = UNBIND_SECONDS
        try:
            while self._unbinding and self.client.status == "running":
                await asyncio.sleep(seconds)
                keys = [key for key in self._unbinding if key in self.client.futures]
                self._unbinding.clear()
                with suppress(Exception):  # the scheduler is gone, or runs no functions
                    unknown = await self.client._run_on_scheduler(_unbinding(), keys)
                    self._unbinding.update(unknown)
                seconds = UNBIND_AGAIN_SECONDS
        finally:
            self._task = None

    def close(self) -> None:
        """Unbind no further call."""
        if self._task is not None:
            self._task.cancel()


def _unbinding() -> Callable[..., list[str]]:
    """The function that lets calls run anywhere; of which keys the scheduler has none. It is shipped by value."""

    def unbind(keys: list[str], dask_scheduler: Any) -> list[str]:
        for key in keys:
            if key in dask_scheduler.tasks:
                dask_scheduler.tasks[key].worker_restrictions = None
        return [key for key in keys if key not in dask_scheduler.tasks]

    return unbind
