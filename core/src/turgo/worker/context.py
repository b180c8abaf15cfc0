"""Gives a task its own run: `turgo.current()`.

    from turgo import current, task

    @task
    def measure(path):
        here = current()
        here.logger.info("try %d of %s", here.attempt, path)

It costs a call nothing: a batch sets `running` once, and which of its calls runs is looked up when somebody asks.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

from turgo.errors import NoTaskError

LOGGER = "turgo.task"
"""The name of the logger above those of all tasks."""


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Which task run this is.

    run_id, flow: of the flow run that it belongs to; task: the task's name; index: the element of a mapped task, else
    None; attempt: 1 for the first, one more for each retry, and for each worker that was lost with it.
    seed: a number of 64 bits for generators of random numbers. Each call of a flow has another one, and it is the same
    in each run and attempt, on each executor.
    """

    run_id: str
    flow: str
    task: str
    index: int | None
    attempt: int
    seed: int

    @property
    def logger(self) -> logging.Logger:
        """The task's own logger, `turgo.task.NAME`; what goes through any other one is kept just the same."""
        return logging.getLogger(f"{LOGGER}.{self.task}")


class Position(NamedTuple):
    """A call of a batch: the number of its piece, and the element of the piece, None for a single call."""

    batch: Any
    at: int
    offset: int | None

    def label(self) -> tuple[str, int | None]:
        """The name of the task, and the element."""
        piece = self.batch.pieces[self.at]
        index = piece.step.index if self.offset is None else piece.low + self.offset
        return self.batch.name_of(piece.step), index

    def task_context(self) -> TaskContext:
        """What the call may know of itself."""
        batch = self.batch
        piece = batch.pieces[self.at]
        step = piece.step
        index = None if self.offset is None else piece.low + self.offset
        run_id, flow = batch.run
        task = batch.name_of(step)
        return TaskContext(
            run_id=run_id,
            flow=flow,
            task=task,
            index=step.index if index is None else index,
            attempt=batch.attempts.get((step.id, index), 1),
            seed=_seed(flow, task, step.id, index),
        )


def _seed(*parts: object) -> int:
    """A number that is the same for the same parts in every process, and looks like no other's."""
    import hashlib  # late: few calls ask for their seed

    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "big")


# That of another version of this module, which a worker may have imported before this one came there.
_before = getattr(sys.modules.get(__name__), "running", None)
running: ContextVar[Callable[[], Position] | None] = _before or ContextVar("turgo_running", default=None)
"""Says where the batch is that runs here, to `current` of any version in this process; None outside of a task."""


def current() -> TaskContext:
    """The task run that this is called in: also in async tasks, and in threads that were given the task's context.

    Raises NoTaskError outside a task.
    """
    where = running.get()
    if where is None:
        raise NoTaskError(
            "current() was called outside a task: it tells a task of its own run. A thread that a task starts knows "
            "of the task only if it runs in the task's context (contextvars.copy_context().run)"
        )
    return where().task_context()
