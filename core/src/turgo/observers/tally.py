"""Counts from events how far each task is. Both progress displays show it.

A run may have a million task runs and a bunch of events comes some twenty times a second, so a bunch costs as
much as it has events, and the totals (dynamic maps learn theirs on the way) are read again only now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

import attrs

from turgo.records.amounts import (
    duration as duration,
)  # a time and a rate as one reads them, beside the counts
from turgo.records.amounts import frequency as frequency
from turgo.records.flow_run import FlowRun
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent

READ_TOTALS_SECONDS = 0.25
"""Seconds between two readings of the totals."""
LEAST_TIMED_SECONDS = 0.1
"""Seconds under which a time taken from events says nothing: events come in bunches."""


@attrs.define
class TaskTally:
    """How far one task is. total, done, failed: task runs; began, ended: seconds by the tally's clock."""

    name: str
    total: int = 0
    done: int = 0
    failed: int = 0
    began: float | None = None
    ended: float | None = None

    @property
    def complete(self) -> bool:
        """Whether all its task runs are over."""
        return self.done >= self.total

    def elapsed(self, now: float) -> float:
        """Seconds from its first event to its last, or until now if it is not complete."""
        if self.began is None:
            return 0.0
        return (self.ended if self.complete and self.ended is not None else now) - self.began

    def rate(self, now: float) -> float | None:
        """Task runs finished in a second, or None where that would say nothing."""
        elapsed = self.elapsed(now)
        return self.done / elapsed if self.done > 1 and elapsed >= LEAST_TIMED_SECONDS else None


class Tally:
    """The tasks of one run by name, in the order in which the flow called them first."""

    def __init__(self, run: FlowRun, *, clock: Callable[[], float] = monotonic) -> None:
        self.run = run
        self.clock = clock
        self._last_event = clock()
        self.began = self._last_event - (run.start_seconds or 0.0)
        self.tasks: dict[str, TaskTally] = {}
        self._read = 0.0
        self.read_totals()

    def read_totals(self) -> None:
        """Read how many task runs each task has by now."""
        self._read = self.clock()
        for name, width in self.run.task_runs.widths().items():
            self.tasks.setdefault(name, TaskTally(name)).total = width

    def add(self, events: Sequence[TaskEvent]) -> list[TaskTally]:
        """Count the events; the tasks among them that are complete with these."""
        now = self.clock()
        touched: dict[str, TaskTally] = {}
        for event in events:
            task = touched[event.task] = self.tasks.setdefault(event.task, TaskTally(event.task))
            if task.began is None:
                # A task whose first event is its last began after the events before that.
                task.began = self._last_event if event.state.finished else now
            # What is cancelled is neither done nor failed: the display says how far the run came.
            if event.state.finished and event.state is not TaskState.CANCELLED:
                task.done += event.count
                task.failed += event.count if event.state.failed else 0
                task.ended = now
        self._last_event = now
        if now - self._read >= READ_TOTALS_SECONDS or any(task.complete for task in touched.values()):
            self.read_totals()
        return [task for task in touched.values() if task.complete]

    @property
    def elapsed(self) -> float:
        """Seconds since the run began, the start of its executor among them."""
        return self.clock() - self.began
