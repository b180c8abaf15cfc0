"""Draws progress on a terminal. It has one row for each task, and is drawn several times a second.

The rows vanish when the run is over; the summary takes their place. Rich redraws from a thread of its own, so
the clock advances while one long call holds the thread that runs the flow.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo.observers.tally import LEAST_TIMED_SECONDS, Tally, TaskTally, duration, frequency
from turgo.records.flow_run import FlowRun
from turgo.records.task_run import TaskEvent

GAP_WIDTH = 2
"""Blanks between two columns."""
BARLESS_WIDTH = 24
"""Columns left for names and bars under which there are no bars."""
RATELESS_WIDTH = 48
"""Columns of a terminal under which rate and time are left out."""
WIDEST_BAR_WIDTH = 30
"""Columns of a bar, at most."""


class ProgressObserver:
    """Draws the table on `console` (default: standard error)."""

    def __init__(self, *, console: Console | None = None, per_second: float = 8.0) -> None:
        self.console = console or Console(stderr=True)
        self.per_second = per_second
        self._tally: Tally | None = None
        self._live: Live | None = None
        self._link = self._waiting = ""

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        """Begin to draw the tasks."""
        self._tally = Tally(run)
        self._waiting = ""
        self._begin()

    def _begin(self) -> None:
        """Begin to draw, unless that has begun with the start of the executor."""
        if self._live is not None:
            return
        self._link = ""
        self._live = Live(
            console=self.console,
            get_renderable=self._draw,
            refresh_per_second=self.per_second,
            transient=True,
            # Rich prints what the flow prints above the table, on its own console: right for a terminal only.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self._live.start(refresh=True)

    @hookimpl
    def turgo_task_events(self, run: FlowRun, events: Sequence[TaskEvent]) -> None:
        """Count them; the next drawing shows it."""
        if self._tally is not None:
            self._tally.add(events)

    @hookimpl
    def turgo_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Show where the dashboard is, and what calls wait for."""
        self._link = event.link or self._link
        if event.kind in ("waiting", "starting"):
            self._waiting = event.message
        elif event.kind == "start_over":
            self._waiting = ""
        if event.kind == "starting":
            self._begin()
        elif event.kind == "start_failed":
            self._end()

    @hookimpl
    def turgo_flow_finished(self, run: FlowRun) -> None:
        """Take the table away."""
        self._end()

    def _end(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live = self._tally = None

    def _draw(self) -> RenderableType:
        tally = self._tally
        if tally is None:
            return Text(self._waiting, style="yellow")
        rows = chosen(list(tally.tasks.values()), self.console.height - 2)
        left_out = len(tally.tasks) - len(rows)
        more = f" · {left_out:,} more tasks" if left_out else ""
        link = f" · {self._link}" if self._link else ""
        footer = Text(f"{tally.run.flow} on {tally.run.executor}{more}{link}", style="dim", no_wrap=True)
        if self._waiting:
            footer.append(f"\n{self._waiting}", style="yellow")
        return Group(_table(rows, tally.clock(), self.console.width), footer)


def chosen(tasks: list[TaskTally], room: int) -> list[TaskTally]:
    """Those that fit into `room` rows: what runs before what failed before what waits; the order stays."""
    if len(tasks) <= room:
        return tasks

    def rank(task: TaskTally) -> int:
        if task.began is not None and not task.complete:
            return 0
        return 1 if task.failed else 2 if task.began is None else 3

    best = sorted(range(len(tasks)), key=lambda at: rank(tasks[at]))[: max(room, 1)]
    return [tasks[at] for at in sorted(best)]


def _table(tasks: list[TaskTally], now: float, width: int) -> Table:
    """Figures never give way; the bars go first, and then names are cut."""
    columns = list(zip(*(_figures(task, now) for task in tasks), strict=True))[
        : 4 if width >= RATELESS_WIDTH else 2
    ]
    figures = [column for column in columns if any(column)]
    widths = [max(cell.cell_len for cell in column) for column in figures]
    room = width - sum(each + GAP_WIDTH for each in widths)
    longest = max((len(task.name) for task in tasks), default=0)
    name = min(longest, max(room // 2, 1)) if room >= BARLESS_WIDTH else min(longest, max(room, 1))
    bar = min(room - name - GAP_WIDTH, WIDEST_BAR_WIDTH) if room >= BARLESS_WIDTH else 0
    table = Table.grid(padding=(0, GAP_WIDTH, 0, 0))
    table.add_column(width=name, no_wrap=True, overflow="ellipsis")
    if bar:
        table.add_column(width=bar)
    for each in widths:
        table.add_column(width=each, no_wrap=True, justify="right")
    for at, task in enumerate(tasks):
        row: list[RenderableType] = [Text(task.name, style=_style(task))]
        table.add_row(*row, *([_bar(task)] if bar else []), *(column[at] for column in figures))
    return table


def _figures(task: TaskTally, now: float) -> list[Text]:
    elapsed = task.elapsed(now)
    return [
        Text(f"{task.done:,}/{task.total:,}", style=_style(task)),
        Text(f"{task.failed:,} failed" if task.failed else "", style="red"),
        Text(frequency(task.rate(now)), style="dim"),
        Text(duration(elapsed) if elapsed >= LEAST_TIMED_SECONDS else "", style="dim"),
    ]


def _style(task: TaskTally) -> str:
    if task.failed:
        return "red"
    return "green" if task.complete else "dim" if task.began is None else ""


def _bar(task: TaskTally) -> ProgressBar:
    colour = "red" if task.failed else "green"
    return ProgressBar(
        total=max(task.total, 1), completed=task.done, complete_style=colour, finished_style=colour
    )
