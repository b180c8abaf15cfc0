"""Shows progress on a terminal, while a run lasts. It begins a moment late, so that a short run shows nothing.

    started ──> a timer ──DELAY_SECONDS──> bars, if nothing else draws on the terminal
    ended   ──> the timer is stopped, or the bars are taken away

What draws is loaded when the time has come: rich takes longer to import than many a run takes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from turgo.executor import ExecutorEvent
from turgo.hooks import hookimpl
from turgo.observers import screen
from turgo.observers.tally import Tally
from turgo.records.flow_run import FlowRun
from turgo.records.task_run import TaskEvent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from turgo.observers.terminal.bars import Bars

logger = logging.getLogger("turgo")

DELAY_SECONDS = 0.3
"""A run that is over sooner shows no bars."""


class ProgressObserver:
    """Draws bars on `console` (default: standard error). Several runs may be watched, one after the other."""

    def __init__(
        self,
        *,
        console: Console | None = None,
        per_second: float = 8.0,
        delay_seconds: float = DELAY_SECONDS,
    ) -> None:
        self._console = console
        self.per_second = per_second
        self.delay_seconds = delay_seconds
        self._lock = threading.Lock()  # the timer's thread begins, the run's ends
        self._on = False  # whether there is something to draw
        self._timer: threading.Timer | None = None
        self._tally: Tally | None = None
        self._bars: Bars | None = None
        self._link = ""
        self._waiting = ""

    @property
    def console(self) -> Console:
        """Where it draws."""
        if self._console is None:
            from rich.console import Console  # late, with all of rich

            self._console = Console(stderr=True)
        return self._console

    @hookimpl
    def turgo_flow_started(self, run: FlowRun) -> None:
        """Begin to count, and soon to draw."""
        self._tally = Tally(run)
        self._waiting = ""
        if not self._on:
            self._on = True
            self._timer = threading.Timer(self.delay_seconds, self._begin)
            self._timer.daemon = True
            self._timer.start()

    def _begin(self) -> None:
        """Draw from now on, unless the run is over, or somebody else draws."""
        from turgo.observers.terminal.bars import Bars

        with self._lock:
            if not self._on or self._bars is not None or not screen.take():
                return
            try:
                self._bars = Bars(self.console, self._draw, self.per_second)
            except Exception:
                screen.give_back()
                logger.warning("the progress of a run cannot be drawn", exc_info=True)

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
        if event.kind == "starting" and not self._on:
            self._on = True
            self._begin()  # a start has lasted when it is told of
        elif event.kind == "start_failed":
            self._end()

    @hookimpl
    def turgo_flow_finished(self, run: FlowRun) -> None:
        """Take the bars away."""
        self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._on = False
            if self._bars is not None:
                try:
                    self._bars.stop()
                finally:
                    screen.give_back()
            self._bars = None
        self._timer = self._tally = None
        self._link = ""

    def _draw(self) -> RenderableType:
        from turgo.observers.terminal.bars import drawing

        return drawing(self.console, self._tally, self._link, self._waiting)
