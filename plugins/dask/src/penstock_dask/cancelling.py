"""Taking calls back for certain.

`Client.cancel` sends a message and returns. If the scheduler has not yet read the graph of a call by then, it drops
the message, and the call runs although its future is cancelled. If it has, workers may begin with the call
before they hear of it. So the scheduler is asked before, and scheduler and workers are asked afterwards: a few
round trips, however many calls there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import distributed

PATIENCE = 5.0
"""Seconds to wait for a scheduler or workers that are busy or gone."""

_PAUSE = 0.002  # seconds between two questions


def take_back(
    client: distributed.Client, futures: Sequence[distributed.Future], *, patience: float = PATIENCE
) -> set[str]:
    """Cancel the calls, and wait until none of them can begin; gives the keys of those that ran already.

    Each of three waits takes `patience` seconds at most.
    """
    keys = {future.key for future in futures}
    wait_until_known(client, futures, patience=patience)
    client.cancel(list(futures))
    until_forgotten(client, futures, patience=patience)
    return _running(client, keys, patience)


def wait_until_known(
    client: distributed.Client, futures: Sequence[distributed.Future], *, patience: float = PATIENCE
) -> None:
    """Wait until the scheduler knows of each of the calls, or has done with it."""

    def known(left: float) -> bool:
        pending = {future.key for future in futures if not future.done()}
        return all(_states(client, pending, left).values()) if pending else True

    _until(known, patience)


def until_forgotten(
    client: distributed.Client, futures: Sequence[distributed.Future], *, patience: float = PATIENCE
) -> None:
    """Wait until the scheduler has none of the calls, which were cancelled."""
    keys = {future.key for future in futures}
    _until(lambda left: not any(_states(client, keys, left).values()), patience)


def _states(client: distributed.Client, keys: AbstractSet[str], timeout: float) -> dict[str, str | None]:
    """What the scheduler knows of each key; None for one that it does not have."""
    states: dict[str, str | None] = client.sync(
        client.scheduler.get_task_status, keys=list(keys), callback_timeout=timeout
    )
    return states


def _running(client: distributed.Client, keys: AbstractSet[str], patience: float) -> set[str]:
    """Wait until no worker has one of the keys in its queue; gives those that a worker runs."""

    def held(dask_worker: Any) -> dict[str, bool]:  # a local function: it travels by value, to any worker
        tasks = dask_worker.state.tasks
        runs = ("executing", "long-running")
        return {
            key: tasks[key].state in runs or (tasks[key].state == "cancelled" and tasks[key].previous in runs)
            for key in keys
            if key in tasks
        }

    running: set[str] = set()

    def only_running(left: float) -> bool:
        answers = client.sync(client._run, held, on_error="ignore", callback_timeout=left)
        found = [item for answer in answers.values() if isinstance(answer, dict) for item in answer.items()]
        running.update(key for key, runs in found if runs)
        return all(runs for _, runs in found)

    _until(only_running, patience)
    return running


def _until(happened: Callable[[float], bool], patience: float) -> None:
    """Ask until it has happened, with the seconds that are left; for `patience` seconds at most."""
    end = time.monotonic() + patience
    while (left := end - time.monotonic()) > 0:
        try:
            if happened(left):
                return
        except (TimeoutError, OSError):  # nobody answers any more
            return
        time.sleep(_PAUSE)
