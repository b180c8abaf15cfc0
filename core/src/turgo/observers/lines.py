"""Prints progress in plain lines. They suit a pipe, a log file, a CI job.

Few of them: one when a task is complete, and in between one every few seconds that says how far the others
are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from time import monotonic
from typing import TextIO

from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo.observers.screen import is_logged_to
from turgo.observers.tally import Tally, TaskTally
from turgo.records.amounts import duration, frequency
from turgo.records.flow_run import FlowRun
from turgo.records.task_run import TaskEvent

NAMED_TASKS = 5
"""How many tasks one line names; the rest is counted."""


class LinesObserver:
    """Writes lines to `stream` (default: standard error), one on progress every `interval` seconds."""

    def __init__(
        self,
        *,
        stream: TextIO | None = None,
        interval: float = 5.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._stream = stream
        self.interval = interval
        self.clock = clock
        self._tally: Tally | None = None
        self._complete: list[TaskTally] = []
        self._announced: set[str] = set()
        self._next_start = self._next_progress = self._next_complete = 0.0

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        """Say what runs where."""
        self._tally = Tally(run, clock=self.clock)
        self._complete, self._announced = [], set()
        self._next_progress = self.clock() + self.interval
        self._next_complete = self.clock()
        self._write(f"{run.flow} runs on {run.executor} (run {run.id})")

    @hookimpl
    def turgo_task_events(self, run: FlowRun, events: Sequence[TaskEvent]) -> None:
        """Say which tasks are complete now and, if it is time, how far the others are."""
        if self._tally is None:
            return
        fresh = [task for task in self._tally.add(events) if task.name not in self._announced]
        self._announced.update(task.name for task in fresh)
        self._complete += fresh
        now = self.clock()
        if self._complete and now >= self._next_complete:
            self._write_complete(now)
        if now >= self._next_progress:
            self._write_progress(now)

    @hookimpl
    def turgo_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Say what a user may want to act on; that a worker arrived is good news, and there may be a thousand."""
        if event.logged is not None and is_logged_to(self._stream or sys.stderr, *event.logged):
            return
        if event.kind == "starting":
            now = self.clock()
            if now >= self._next_start:
                self._next_start = now + self.interval
                self._write(event.message)
        elif self._tally is None:
            self._write(event.message)
        elif event.kind != "worker_arrived":
            self._write_after(event.message)

    @hookimpl
    def turgo_flow_finished(self, run: FlowRun) -> None:
        """Say what is left to say; the summary says how it ended."""
        if self._complete:
            self._write_complete(self.clock())
        self._tally = None

    def _write_complete(self, now: float) -> None:
        tasks, self._complete = self._complete, []
        # A flow with a thousand different tasks must not write a thousand lines.
        self._next_complete = now + self.interval / 5 if len(tasks) > 1 else now + self.interval / 20
        if len(tasks) <= NAMED_TASKS:
            for task in tasks:
                self._write_after(f"{task.name} {_count(task)}")
            return
        names = ", ".join(task.name for task in tasks[:NAMED_TASKS])
        self._write_after(f"{len(tasks):,} tasks complete: {names} and {len(tasks) - NAMED_TASKS:,} more")

    def _write_progress(self, now: float) -> None:
        assert self._tally is not None
        self._next_progress = now + self.interval
        open_tasks = [t for t in self._tally.tasks.values() if t.began is not None and not t.complete]
        shown = [
            " ".join(filter(None, (task.name, _count(task), frequency(task.rate(now)))))
            for task in open_tasks[:NAMED_TASKS]
        ]
        if len(open_tasks) > NAMED_TASKS:
            shown.append(f"{len(open_tasks) - NAMED_TASKS:,} more tasks")
        if shown:
            self._write_after(", ".join(shown))

    def _write_after(self, news: str) -> None:
        assert self._tally is not None
        self._write(f"after {duration(self._tally.elapsed)}: {news}")

    def _write(self, line: str) -> None:
        print(line, file=self._stream or sys.stderr, flush=True)


def _count(task: TaskTally) -> str:
    done = f"{task.done:,}/{task.total:,}"
    return f"{done} ({task.failed:,} failed)" if task.failed else done
