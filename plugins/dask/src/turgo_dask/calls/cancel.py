"""Cancels calls, and waits until no worker can begin one of them.

    scheduler knows the calls? ──> Client.cancel ──> scheduler has dropped them? ──> no worker has one in its queue?

`Client.cancel` sends a message and returns. If the scheduler has not read the graph of a call by then, it ignores the
message, and the call runs although its future is cancelled. If it has read it, workers may begin the call before the
message reaches them. So the scheduler is asked before, and scheduler and workers are asked afterwards: a few round
trips, however many calls there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import distributed

CANCEL_ANSWER_SECONDS = 5.0
"""Seconds to wait for a scheduler or workers that are busy or gone."""

ASK_INTERVAL_SECONDS = 0.002  # seconds between two questions


def cancel_calls(
    client: distributed.Client,
    futures: Sequence[distributed.Future],
    *,
    seconds: float = CANCEL_ANSWER_SECONDS,
) -> set[str]:
    """Cancel the calls, and wait until none of them can begin; returns the keys of those that ran already.

    Each of three waits takes `seconds` seconds at most.
    """
    keys = {future.key for future in futures}
    wait_until_known(client, futures, seconds=seconds)
    client.cancel(list(futures))
    until_forgotten(client, futures, seconds=seconds)
    return _running(client, keys, seconds)


def wait_until_known(
    client: distributed.Client,
    futures: Sequence[distributed.Future],
    *,
    seconds: float = CANCEL_ANSWER_SECONDS,
) -> None:
    """Wait until the scheduler knows each of the calls, or has done with it."""

    def known(left: float) -> bool:
        pending = {future.key for future in futures if not future.done()}
        return all(_states(client, pending, left).values()) if pending else True

    _until(known, seconds)


def until_forgotten(
    client: distributed.Client,
    futures: Sequence[distributed.Future],
    *,
    seconds: float = CANCEL_ANSWER_SECONDS,
) -> None:
    """Wait until the scheduler has none of the calls, which were cancelled."""
    keys = {future.key for future in futures}
    _until(lambda left: not any(_states(client, keys, left).values()), seconds)


def _states(client: distributed.Client, keys: AbstractSet[str], timeout: float) -> dict[str, str | None]:
    """What the scheduler knows of each key; None for one that it does not have."""
    states: dict[str, str | None] = client.sync(
        client.scheduler.get_task_status, keys=list(keys), callback_timeout=timeout
    )
    return states


def running_calls(client: distributed.Client, keys: AbstractSet[str], *, seconds: float) -> set[str]:
    """Which of the keys a worker runs at this moment; none if nobody answers."""
    try:
        return {key for key, runs in _held(client, keys, seconds) if runs}
    except (TimeoutError, OSError):
        return set()


def _held(client: distributed.Client, keys: AbstractSet[str], seconds: float) -> list[tuple[str, bool]]:
    """The keys that a worker has, and whether it runs them. Raises TimeoutError or OSError."""

    def held(dask_worker: Any) -> dict[str, bool]:  # a local function: it is shipped by value, to any worker
        tasks = dask_worker.state.tasks
        runs = ("executing", "long-running")
        return {
            key: tasks[key].state in runs or (tasks[key].state == "cancelled" and tasks[key].previous in runs)
            for key in keys
            if key in tasks
        }

    answers = client.sync(client._run, held, on_error="ignore", callback_timeout=seconds)
    return [item for answer in answers.values() if isinstance(answer, dict) for item in answer.items()]


def _running(client: distributed.Client, keys: AbstractSet[str], seconds: float) -> set[str]:
    """Wait until no worker has one of the keys in its queue; returns those that a worker runs."""
    running: set[str] = set()

    def only_running(left: float) -> bool:
        found = _held(client, keys, left)
        running.update(key for key, runs in found if runs)
        return all(runs for _, runs in found)

    _until(only_running, seconds)
    return running


def _until(happened: Callable[[float], bool], seconds: float) -> None:
    """Ask until it has happened, with the seconds that are left; for `seconds` seconds at most."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            if happened(left):
                return
        except (TimeoutError, OSError):  # nobody answers any more
            return
        time.sleep(ASK_INTERVAL_SECONDS)
