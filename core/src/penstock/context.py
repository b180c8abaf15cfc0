"""What a task can ask of its own run: `penstock.current()`.

    from penstock import current, task

    @task
    def measure(path):
        here = current()
        here.logger.info("try %d of %s", here.attempt, path)

It costs a call nothing: a batch says once that it runs, and which of its calls does is looked up when somebody asks.
Needs nothing but the standard library, as it goes to workers; see `engine.work`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple

from penstock.errors import NoTaskError

LOGGER = "penstock.task"
"""The name of the logger above those of all tasks."""


@dataclass(frozen=True, slots=True)
class TaskContext:
    """Which task run this is.

    run_id, flow: of the flow run that it belongs to; task: the task's name; index: the element of a mapped task, else
    None; attempt: 1 for the first, one more for each retry, and for each worker that was lost with it.
    """

    run_id: str
    flow: str
    task: str
    index: int | None
    attempt: int

    @property
    def logger(self) -> logging.Logger:
        """The task's own logger, `penstock.task.NAME`; what goes through any other one is kept just the same."""
        return logging.getLogger(f"{LOGGER}.{self.task}")


class Position(NamedTuple):
    """A call of a batch: the number of its piece, and the element of the piece, None for a single call."""

    batch: Any
    at: int
    offset: int | None

    def told(self) -> TaskContext:
        """What the call may know of itself."""
        batch = self.batch
        step, _, low, *_ = batch.pieces[self.at]
        index = None if self.offset is None else low + self.offset
        run_id, flow = batch.run
        return TaskContext(
            run_id=run_id,
            flow=flow,
            task=batch.name_of(step),
            index=step.index if index is None else index,
            attempt=batch.attempts.get((step.id, index), 1),
        )


_before = getattr(
    sys.modules.get(__name__), "running", None
)  # that of another version, where this one is carried
running: ContextVar[Callable[[], Position] | None] = _before or ContextVar("penstock_running", default=None)
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
    return where().told()
