"""The bars of a terminal: a row for each task, drawn several times a second by a thread of rich's own.

So the clock advances while one long call holds the thread that runs the flow. The rows vanish at the end.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.file_proxy import FileProxy
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from turgo.observers.tally import LEAST_TIMED_SECONDS, Tally, TaskTally
from turgo.observers.terminal.lines_above import LAST_LINES_SECONDS, LinesAbove, StreamAbove
from turgo.records.amounts import duration, frequency

GAP_WIDTH = 2
"""Blanks between two columns."""
BARLESS_WIDTH = 24
"""Columns left for names and bars under which there are no bars."""
RATELESS_WIDTH = 48
"""Columns of a terminal under which rate and time are left out."""
WIDEST_BAR_WIDTH = 30
"""Columns of a bar, at most."""


class Bars:
    """A display of what `draw` gives, from now on until `stop`.

    What is printed meanwhile, and what handlers of logging write to the terminal, comes above it.
    """

    def __init__(self, console: Console, draw: Callable[[], RenderableType], per_second: float) -> None:
        streams = sys.stdout, sys.stderr
        self._live = Live(
            console=console,
            get_renderable=draw,
            refresh_per_second=per_second,
            transient=True,
            # Rich prints what the flow prints on its own console: right for a terminal only.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self._live.start(refresh=True)
        self._above = LinesAbove(console)
        for name in ("stdout", "stderr"):
            if isinstance(getattr(sys, name), FileProxy):  # rich's, which it takes away in the end
                stream = getattr(sys, name).rich_proxied_file
                setattr(sys, name, StreamAbove(self._above, console, stream, self.stop))
        self._handlers: list[tuple[logging.StreamHandler[TextIO], TextIO]] = []
        for stream, above in zip(streams, (sys.stdout, sys.stderr), strict=True):
            if above is not stream:
                self._lead(stream, above)

    def _lead(self, stream: TextIO, above: TextIO) -> None:
        """Have handlers that hold a stream write to another one."""
        for handler in _stream_handlers():
            if handler.stream is stream:
                self._handlers.append((handler, stream))
                handler.setStream(above)

    def stop(self) -> None:
        """Take it away."""
        for handler, stream in self._handlers:
            handler.setStream(stream)
        self._above.show(LAST_LINES_SECONDS)
        self._live.stop()


def _stream_handlers() -> Iterator[logging.StreamHandler[TextIO]]:
    """The handlers of all loggers that write to a stream."""
    loggers = [logging.root, *list(logging.root.manager.loggerDict.values())]
    for logger in loggers:
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                yield handler


def drawing(console: Console, tally: Tally | None, link: str, waiting: str) -> RenderableType:
    """What is shown of a run. link: of a dashboard; waiting: what calls, or the start, wait for."""
    if tally is None:
        return Text(waiting, style="yellow")
    rows = chosen(list(tally.tasks.values()), console.height - 2)
    left_out = len(tally.tasks) - len(rows)
    more = f" · {left_out:,} more tasks" if left_out else ""
    footer = Text(f"{tally.run.flow} on {tally.run.executor}{more}", style="dim", no_wrap=True)
    if link:
        footer.append(f" · {link}")
    if waiting:
        footer.append(f"\n{waiting}", style="yellow")
    return Group(_table(rows, tally.clock(), console.width), footer)


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
