"""The live display on a terminal."""

import io
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from turgo.executor import ExecutorEvent
from turgo.observers import screen
from turgo.observers.progress import ProgressObserver
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent
from turgo.registry.source_files import load_source

_written = load_source(Path(__file__).parent / "written_runs.py")
run_of = _written.run_of


def terminal(height: int = 10, width: int = 100) -> Console:
    """A terminal that is a text in memory."""
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system=None)


def drawn(observer: ProgressObserver) -> str:
    """What the display shows at this moment."""
    shown = Console(file=io.StringIO(), width=observer.console.width, color_system=None)
    shown.print(observer._draw())
    text = shown.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


@pytest.mark.parametrize("width", [30, 47, 48, 80, 200])
def test_the_display_has_a_row_for_each_task(width: int) -> None:
    """Name, done of total, failures: in a wide terminal as in a narrow one, no line too long."""
    observer = ProgressObserver(console=terminal(width=width))
    run, _ = run_of(find=None, measure=4)
    observer.turgo_flow_started(run)
    try:
        events = [
            TaskEvent("find", TaskState.SUCCESS, 1, 0),
            TaskEvent("measure", TaskState.FAILED, 2, 1, 0, 2),
        ]
        observer.turgo_task_events(run, events)
        text = drawn(observer)
    finally:
        observer.turgo_flow_finished(run)
    assert "1/1" in text and "2/4" in text and "2 failed" in text and "census on local" in text
    assert max(map(len, text.splitlines())) <= width


def until(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_display_goes_away() -> None:
    """When the run is over the cursor is back, the rows are erased and no thread draws any more."""
    console = terminal()
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue
    observer = ProgressObserver(console=console, delay_seconds=0.0)
    run, _ = run_of(measure=4)
    observer.turgo_flow_started(run)
    until(lambda: "census on local" in text())
    observer.turgo_flow_finished(run)
    assert "\x1b[?25h" in text() and text().endswith("\x1b[1A\x1b[2K" * 2)
    assert screen.take(), "the terminal is free"
    screen.give_back()


def test_a_short_run_shows_nothing() -> None:
    """It is over before the bars would begin, and loads nothing that draws."""
    observer = ProgressObserver(console=terminal(), delay_seconds=3600.0)
    run, _ = run_of(measure=4)
    for _ in range(2):
        observer.turgo_flow_started(run)
        observer.turgo_flow_finished(run)
    file = observer.console.file
    assert isinstance(file, io.StringIO) and file.getvalue() == ""


def test_a_start_that_lasts_is_shown_at_once() -> None:
    """It is told of only when it has lasted; one that fails takes its line away."""
    observer = ProgressObserver(console=terminal(), delay_seconds=3600.0)
    file = observer.console.file
    assert isinstance(file, io.StringIO)
    run, _ = run_of(measure=4)
    observer.turgo_executor_event(run, ExecutorEvent("starting", "starting hpc, 3 s so far"))
    assert "starting hpc, 3 s so far" in file.getvalue()
    observer.turgo_executor_event(run, ExecutorEvent("start_failed", "hpc has not started"))
    assert file.getvalue().endswith("\x1b[1A\x1b[2K")


def test_one_display_draws_at_a_time() -> None:
    """A run within a run draws nothing, and takes nothing away."""
    outer, inner = (ProgressObserver(console=terminal(), delay_seconds=0.0) for _ in range(2))
    run, _ = run_of(measure=4)
    outer.turgo_flow_started(run)
    try:
        until(lambda: outer._bars is not None)
        inner.turgo_flow_started(run)
        inner._begin()
        assert inner._bars is None
        inner.turgo_flow_finished(run)
        assert outer._bars is not None
    finally:
        outer.turgo_flow_finished(run)
