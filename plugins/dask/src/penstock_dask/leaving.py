"""Taking leave of a cluster that stays: nothing of ours waits, runs or lies there afterwards.

A call that runs in a thread cannot be killed, as the worker would die with it. It is interrupted instead: an exception
is raised in its thread, again and again until it is gone. Code that never returns to Python, as a long call into a
library of C, is waited for, but not for ever.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Set as AbstractSet
from typing import Any

import distributed

from penstock_dask.cancelling import take_back

logger = logging.getLogger("penstock_dask")

PATIENCE = 5.0
"""Seconds that scheduler and workers may take to forget the calls that wait."""

RUNNING_PATIENCE = 10.0
"""Seconds that calls may take to end which run when the executor is left."""

_PAUSE = 0.1


def leave(
    client: distributed.Client, *, stays: bool, patience: float, given_up: AbstractSet[str] = frozenset()
) -> None:
    """Cancel what is pending, so that those who wait for it hear of it.

    stays: whether the cluster outlives us; given_up: keys of calls that ran on when they were cancelled before.
    """
    if client.status != "running":
        return
    running = set(given_up)
    pending = [key for key, state in list(client.futures.items()) if state.status == "pending"]
    if pending:
        futures = [distributed.Future(key, client) for key in pending]
        running |= take_back(client, futures, patience=PATIENCE if stays else patience)
    if stays and running:
        _interrupt(client, running)


def _interrupt(client: distributed.Client, keys: set[str]) -> None:
    """Interrupt the calls until none of them runs, and warn of those that do not heed it."""
    end = time.monotonic() + RUNNING_PATIENCE
    left = set(keys)
    while left and client.status == "running" and (seconds := end - time.monotonic()) > 0:
        try:
            answers = client.sync(
                client._run, _interruption(left), on_error="ignore", callback_timeout=seconds
            )
        except (TimeoutError, OSError):
            break
        left = {key for answer in answers.values() if isinstance(answer, list) for key in answer}
        time.sleep(_PAUSE if left else 0)
    if left:
        logger.warning(
            "%d calls still run on the cluster, %g s after they were cancelled: %s",
            len(left),
            RUNNING_PATIENCE,
            ", ".join(sorted(left)[:3]),
        )


def _interruption(keys: set[str]) -> Any:
    """What a worker does about calls that nobody wants any more; it gives those that it runs. It travels by value."""

    def interrupt(dask_worker: Any) -> list[str]:
        import ctypes
        from concurrent.futures import CancelledError

        class Interrupted(CancelledError):  # noqa: N818  (it is no error)
            goes_on = True  # it ends a whole batch, and is not taken for the failure of one of its calls

        with dask_worker.active_threads_lock:  # so that no thread is hit after its call
            running = [(thread, key) for thread, key in dask_worker.active_threads.items() if key in keys]
            for thread, _ in running:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(Interrupted)
                )
        return [key for _, key in running]

    return interrupt
