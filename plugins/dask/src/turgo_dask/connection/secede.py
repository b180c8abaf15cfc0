"""Frees a task's thread in which another executor uses the same cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import distributed


@contextmanager
def seceded(client: distributed.Client) -> Iterator[None]:
    """Let the worker run another call in the thread of the task that this is in, if it is in one."""
    if not _in_a_task_of(client.scheduler.address):
        yield
        return
    distributed.secede()
    try:
        yield
    finally:
        distributed.rejoin()


def _in_a_task_of(address: str) -> bool:
    try:
        worker = distributed.get_worker()
    except ValueError:  # this is no worker
        return False
    return bool(worker.scheduler.address == address) and hasattr(
        distributed.worker.thread_state, "execution_state"
    )
