"""Shows progress in a notebook: a table below the cell, which is drawn anew as the run goes on, and stays."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo.observers.tally import LEAST_TIMED_SECONDS, Tally, TaskTally
from turgo.records.amounts import duration, frequency
from turgo.records.flow_run import FlowRun
from turgo.records.html import Markup, bar, paragraph, table
from turgo.records.task_run import TaskEvent

DRAWN_EVERY_SECONDS = 0.25
"""Seconds between two drawings, as each is a message to a browser."""

SHOWN_TASKS = 50
"""How many rows the table has at most."""


class Drawing:
    """What a notebook is given: HTML, and a text for where there is none."""

    def __init__(self, html: str, text: str) -> None:
        self._html = html
        self._text = text

    def _repr_html_(self) -> str:
        return self._html

    def __repr__(self) -> str:
        return self._text


class NotebookObserver:
    """Draws below the cell that makes it."""

    def __init__(self) -> None:
        from IPython.display import display  # late: it is there in a notebook

        show: Any = display
        self._handle = show(Drawing("", ""), display_id=True)
        self._tally: Tally | None = None
        self._drawn = 0.0

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        """Draw the tasks."""
        self._tally = Tally(run)
        self._draw(str(run.state))

    @hookimpl
    def turgo_task_events(self, run: FlowRun, events: Sequence[TaskEvent]) -> None:
        """Count them, and draw if it is time."""
        if self._tally is None:
            return
        self._tally.add(events)
        if monotonic() - self._drawn >= DRAWN_EVERY_SECONDS:
            self._draw(str(run.state))

    @hookimpl
    def turgo_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Say what the start, or calls, wait for."""
        if event.kind == "starting":
            self._update(paragraph(event.message), event.message)
        elif event.kind == "waiting" and self._tally is not None:
            self._draw(event.message)

    @hookimpl
    def turgo_flow_finished(self, run: FlowRun) -> None:
        """Draw how it ended."""
        took = f" in {duration(run.duration)}" if run.duration is not None else ""
        self._draw(f"{run.state}{took}")
        self._tally = None

    def _draw(self, state: str) -> None:
        tally = self._tally
        if tally is None:
            return
        self._drawn = monotonic()
        tally.read_totals()
        tasks = list(tally.tasks.values())
        now = tally.clock()
        rows = [_row(task, now) for task in tasks[:SHOWN_TASKS]]
        more = f" · {len(tasks) - len(rows):,} more tasks" if len(tasks) > len(rows) else ""
        title = f"{tally.run.flow} on {tally.run.executor}: {state}{more}"
        done, total = sum(task.done for task in tasks), sum(task.total for task in tasks)
        header = ["task", "", "done", "failed", "rate", "time"]
        self._update(table(title, header, rows, right=(2, 3, 4, 5)), f"{title}, {done:,}/{total:,}")

    def _update(self, html: str, text: str) -> None:
        self._handle.update(Drawing(html, text))


def _row(task: TaskTally, now: float) -> list[str | Markup]:
    elapsed = task.elapsed(now)
    return [
        task.name,
        bar(task.done - task.failed, task.failed, task.total),
        f"{task.done:,}/{task.total:,}",
        f"{task.failed:,}" if task.failed else "",
        frequency(task.rate(now)),
        duration(elapsed) if elapsed >= LEAST_TIMED_SECONDS else "",
    ]
