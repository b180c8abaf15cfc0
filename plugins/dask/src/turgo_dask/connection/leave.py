"""Leaves a cluster and ends its calls.

Cancels those that wait; waits for running ones, or interrupts them after an error.

A call that runs in a thread cannot be killed, as the worker would die with it. It is interrupted instead: an exception
is raised in its thread, again and again until the call has ended. Code that does not return to Python, as a long call
into a library of C, is waited for, but not for ever. So is an import, which would leave half a module on the worker.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Set as AbstractSet
from typing import Any

import distributed

from turgo_dask.calls.cancel import cancel_calls, running_calls

logger = logging.getLogger("turgo_dask")

FORGET_SECONDS = 5.0
"""Seconds that scheduler and workers may take to forget the calls that wait."""

INTERRUPT_SECONDS = 2.5
"""Seconds that calls may take to end which are interrupted as the executor is left."""

AWAIT_INTERVAL_SECONDS = 0.02
"""Seconds between two looks whether calls that run have ended."""

INTERRUPT_INTERVAL_SECONDS = 0.1
"""Seconds between two exceptions that are raised in the same call."""


def leave(
    client: distributed.Client,
    *,
    stays: bool,
    in_order: bool,
    seconds: float,
    given_up: AbstractSet[str] = frozenset(),
    ends: bool = False,
    begun: AbstractSet[str] = frozenset(),
) -> None:
    """Cancel calls that wait, and see to it that none runs any more, which ends all waits for them.

    stays: whether calls that run outlive the client, as on a cluster of others or in threads of this process;
    in_order: whether calls that run are let come to their end;
    given_up: keys of calls that still ran when they were cancelled before;
    begun: keys of calls that run, and of which the scheduler does not know;
    ends: whether the program ends: `seconds` are all that there is, and calls in threads of it end without a word.
    """
    if client.status != "running":
        return
    pending = {key for key, state in list(client.futures.items()) if state.status == "pending"}
    patience = FORGET_SECONDS if stays and not ends else seconds
    begun = set(begun)
    if in_order and pending - begun:
        begun |= running_calls(client, pending - begun, seconds=patience)
    cancelled = set(given_up)
    if pending - begun:
        futures = [distributed.Future(key, client) for key in pending - begun]
        cancelled |= cancel_calls(client, futures, seconds=patience)
    if stays and cancelled:
        left = _interrupt(client, cancelled, seconds if ends else INTERRUPT_SECONDS)
        if not (ends and client.scheduler.address.startswith("inproc://")):
            _warn(left)
    try:
        _await(client, begun)
    except BaseException:  # as Ctrl-C: somebody does not want to wait any longer
        if stays:
            _warn(_interrupt(client, begun, INTERRUPT_SECONDS))
        raise


def _await(client: distributed.Client, keys: AbstractSet[str]) -> None:
    """Wait until none of the calls is pending, however long they take, or the scheduler is gone."""
    left = set(keys)
    while left and client.status == "running":
        states = {key: client.futures.get(key) for key in left}
        left = {key for key, state in states.items() if state is not None and state.status == "pending"}
        time.sleep(AWAIT_INTERVAL_SECONDS if left else 0)


def _interrupt(client: distributed.Client, keys: set[str], patience: float) -> set[str]:
    """Interrupt the calls until none of them runs, for `patience` seconds; those that do not end."""
    end = time.monotonic() + patience
    left = set(keys)
    while left and client.status == "running" and (seconds := end - time.monotonic()) > 0:
        try:
            answers = client.sync(
                client._run, _interruption(left), on_error="ignore", callback_timeout=seconds
            )
        except (TimeoutError, OSError):
            break
        left = {key for answer in answers.values() if isinstance(answer, list) for key in answer}
        time.sleep(INTERRUPT_INTERVAL_SECONDS if left else 0)
    return left


def _warn(left: AbstractSet[str]) -> None:
    """Name the calls that nothing has ended."""
    if left:
        names = ", ".join(sorted(left)[:3])
        logger.warning(
            "%d calls were cancelled and interrupted, and still run on the cluster: %s", len(left), names
        )


def _interruption(keys: set[str]) -> Any:
    """The function that interrupts cancelled calls on a worker, and returns those that run. It is shipped by value."""

    def interrupt(dask_worker: Any) -> list[str]:
        import ctypes
        import sys
        from concurrent.futures import CancelledError

        class Interrupted(CancelledError):  # noqa: N818  (it is no error)
            propagates = True  # it ends a whole batch, and is not taken for the failure of one of its calls

        def imports(thread: int) -> bool:
            frame = sys._current_frames().get(thread)
            while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
                frame = frame.f_back
            return frame is not None

        with dask_worker.active_threads_lock:  # so that no thread is hit after its call
            running = [(thread, key) for thread, key in dask_worker.active_threads.items() if key in keys]
            for thread in (thread for thread, _ in running if not imports(thread)):
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(Interrupted)
                )
        return [key for _, key in running]

    return interrupt
