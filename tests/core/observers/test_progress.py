"""The live display on a terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from turgo.observers.progress import ProgressObserver, chosen
from turgo.observers.tally import TaskTally
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


def test_the_display_goes_away() -> None:
    """When the run is over the cursor is back, the rows are erased and no thread draws any more."""
    console = terminal()
    observer = ProgressObserver(console=console)
    run, _ = run_of(measure=4)
    observer.turgo_flow_started(run)
    observer.turgo_flow_finished(run)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().endswith("\x1b[1A\x1b[2K" * 2) or "\x1b[?25h" in console.file.getvalue()


def test_the_display_shows_what_runs_when_not_all_fits() -> None:
    """With more tasks than rows, what runs comes before what failed, waits or is complete."""
    complete = TaskTally("complete", total=1, done=1, began=1.0)
    waiting = TaskTally("waiting", total=1)
    failed = TaskTally("failed", total=1, done=1, failed=1, began=1.0)
    running = TaskTally("running", total=2, done=1, began=1.0)
    assert chosen([complete, waiting, failed, running], 2) == [failed, running]
    assert chosen([complete, waiting], 5) == [complete, waiting]
