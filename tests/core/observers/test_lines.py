"""Progress in plain lines."""

import io
import logging
import re
from pathlib import Path

import pytest

from turgo.executor import ExecutorEvent
from turgo.observers.lines import LinesObserver
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent
from turgo.registry.source_files import load_source

_written = load_source(Path(__file__).parent / "written_runs.py")
Clock = _written.Clock
run_of = _written.run_of


def test_lines_say_when_a_task_is_complete() -> None:
    """A short run is three lines: what runs where, and one for each task when it is complete."""
    clock, stream = Clock(), io.StringIO()
    observer = LinesObserver(stream=stream, clock=clock)
    run, _ = run_of(find=None, measure=3)
    observer.turgo_flow_started(run)
    clock.now += 1
    observer.turgo_task_events(run, [TaskEvent("find", TaskState.SUCCESS, 1, 0)])
    clock.now += 2
    events = [
        TaskEvent("measure", TaskState.SUCCESS, 2, 1, 0, 2),
        TaskEvent("measure", TaskState.FAILED, 1, 1, 2, 3),
    ]
    observer.turgo_task_events(run, events)
    observer.turgo_flow_finished(run)
    assert stream.getvalue().splitlines() == [
        "census runs on local (run abc)",
        "after 1.0 s: find 1/1",
        "after 3.0 s: measure 3/3 (1 failed)",
    ]


def test_lines_on_progress_are_seconds_apart() -> None:
    """A minute of news twenty times a second is a dozen lines, not 1,200."""
    clock, stream = Clock(), io.StringIO()
    observer = LinesObserver(stream=stream, clock=clock, interval=5)
    run, _ = run_of(measure=10_000)
    observer.turgo_flow_started(run)
    for low in range(1200):
        clock.now += 0.05
        observer.turgo_task_events(run, [TaskEvent("measure", TaskState.SUCCESS, 1, 0, low, low + 1)])
    lines = stream.getvalue().splitlines()[1:]
    assert 10 <= len(lines) <= 12
    assert re.fullmatch(r"after 5\.\d s: measure 10\d/10,000 20/s", lines[0])


def test_lines_stay_few_with_a_thousand_tasks() -> None:
    """Many tasks that are complete at once share a line, which names some and counts the rest."""
    clock, stream = Clock(), io.StringIO()
    observer = LinesObserver(stream=stream, clock=clock)
    run, _ = run_of(**{f"step_{number}": None for number in range(1000)})
    observer.turgo_flow_started(run)
    for number in range(1000):
        clock.now += 0.001
        observer.turgo_task_events(run, [TaskEvent(f"step_{number}", TaskState.SUCCESS, 1, number)])
    observer.turgo_flow_finished(run)
    assert len(stream.getvalue().splitlines()) < 10
    assert "more" in stream.getvalue()


@pytest.mark.parametrize(
    ("level", "shown_from"),
    [
        (logging.WARNING, logging.WARNING),
        (logging.INFO, logging.WARNING),
        (logging.INFO, logging.INFO),
    ],
)
def test_lines_do_not_repeat_what_is_logged_there(level: int, shown_from: int) -> None:
    """A message stands there once, be it by a handler or by the observer."""
    stream, logger = io.StringIO(), logging.getLogger("loud_executor")
    handler = logging.StreamHandler(stream)
    logger.propagate = False
    logger.setLevel(shown_from)
    logger.addHandler(handler)
    try:
        observer = LinesObserver(stream=stream, clock=Clock())
        run, _ = run_of(find=None)
        logger.log(level, "a worker is asked for")
        event = ExecutorEvent("waiting", "a worker is asked for", logged=("loud_executor", level))
        observer.turgo_executor_event(run, event)
    finally:
        logger.removeHandler(handler)
    assert stream.getvalue().splitlines() == ["a worker is asked for"]
