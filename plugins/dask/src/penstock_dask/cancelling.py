"""Taking calls back for certain.

`Client.cancel` sends a message and returns. By the time that it has come from the client to the scheduler
and from there to the workers, these may have begun with calls that their futures call cancelled. So the
workers are asked.
"""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from typing import Any

import distributed

_PATIENCE = 1.0
"""Seconds to wait for workers that do not answer, because a call holds their interpreter or they are gone."""


def running_after_cancel(client: distributed.Client, keys: AbstractSet[str]) -> set[str]:
    """Wait until no worker has one of the cancelled `keys` in its queue; gives those that ran already."""

    def held(dask_worker: Any) -> dict[str, bool]:  # a local function: it travels by value, to any worker
        tasks = dask_worker.state.tasks
        runs = ("executing", "long-running")
        return {
            key: tasks[key].state in runs or (tasks[key].state == "cancelled" and tasks[key].previous in runs)
            for key in keys
            if key in tasks
        }

    end = time.monotonic() + _PATIENCE
    running: set[str] = set()
    while (left := end - time.monotonic()) > 0:
        if _known_to_scheduler(client, keys, left):
            continue
        try:
            answers = client.sync(client._run, held, on_error="ignore", callback_timeout=left)
        except (TimeoutError, OSError):
            break
        found = {
            key: runs
            for answer in answers.values()
            if isinstance(answer, dict)
            for key, runs in answer.items()
        }
        running = {key for key, runs in found.items() if runs}
        if len(running) == len(found):
            break
    return running


def _known_to_scheduler(client: distributed.Client, keys: AbstractSet[str], timeout: float) -> bool:
    """Whether the scheduler still means to run one of them."""
    try:
        processing = client.sync(client.scheduler.processing, workers=None, callback_timeout=timeout)
    except (TimeoutError, OSError):
        return False
    return any(key in keys for calls in processing.values() for key in calls)
