"""An executor inside a task of another one, on the same cluster: the task leaves its thread to what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import distributed


@contextmanager
def make_room(client: distributed.Client) -> Iterator[None]:
    """While it lasts, the worker may run another call in the place of the task that this is in, if it is in one."""
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
