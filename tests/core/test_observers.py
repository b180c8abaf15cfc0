"""The observers, fed with runs that are written into a ledger by hand, as the engine writes them."""

import io
import re
import textwrap
import time
import traceback
from array import array

import click
import pytest
from rich.console import Console

from penstock.errors import RunError, RunTimeoutError
from penstock.ledger import Failure, Ledger, MappedColumns, Span, Stamp
from penstock.observers.lines import LinesObserver
from penstock.observers.progress import ProgressObserver, chosen
from penstock.observers.summary import SummaryObserver, failures
from penstock.observers.tally import Tally, TaskTally, duration, frequency
from penstock.records import FlowRun, TaskEvent
from penstock.states import CODE, RunState, TaskState
from penstock.task_runs import TaskRuns

HERE = Stamp("thread-1", 1000.0, 0.0)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run_of(**widths: int | None) -> tuple[FlowRun, Ledger]:
    """A run of a flow `census`: tasks with the widths of their maps, None for a single call."""
    ledger = Ledger(list(widths), [None] * len(widths))
    for node, width in enumerate(widths.values()):
        if width is not None:
            ledger.mapped[node] = MappedColumns(width)
    run = FlowRun(id="abc", flow="census", executor="local", task_runs=TaskRuns(ledger))
    run.state, run.started = RunState.RUNNING, 1000.0
    return run, ledger


def finish(ledger: Ledger, node: int, state: TaskState, seconds: float, index: int | None = None) -> None:
    """Write that a task run is over."""
    if index is None:
        ledger.states[node] = CODE[state]
        ledger.times[node] = (HERE, 0.0, seconds)
    else:
        ledger.mapped[node].states[index] = CODE[state]
        ledger.mapped[node].spans.append(Span(index, index + 1, HERE, 0.0, array("d", [seconds])))


def fail(ledger: Ledger, node: int, index: int | None, error: BaseException) -> None:
    """Write that a task run failed, with the traceback that the worker would send."""
    finish(ledger, node, TaskState.FAILED, 0.5, index)
    try:
        raise error
    except type(error):
        ledger.failures[node, index] = Failure(TaskState.FAILED, error, traceback.format_exc())


def test_by_task_adds_up_states_and_seconds_of_each_name() -> None:
    """Single and mapped calls of one name are one row: counts by state and the time together."""
    ledger = Ledger(["find", "measure", "measure"], [None, None, None])
    ledger.mapped[1] = MappedColumns(2)
    finish(ledger, 0, TaskState.SUCCESS, 0.25)
    finish(ledger, 1, TaskState.SUCCESS, 2.0, index=0)
    finish(ledger, 1, TaskState.FAILED, 1.0, index=1)
    totals = TaskRuns(ledger).by_task()
    assert list(totals) == ["find", "measure"]
    assert totals["find"].seconds == 0.25
    expected = {TaskState.PENDING: 1, TaskState.SUCCESS: 1, TaskState.FAILED: 1}
    assert totals["measure"].states == expected
    assert totals["measure"].runs == 3 and totals["measure"].seconds == 3.0
    assert TaskRuns(ledger).widths() == {"find": 1, "measure": 3}


def test_tally_counts_what_is_over() -> None:
    """Running is not done, a failure is both done and failed, and the last one makes the task complete."""
    clock = Clock()
    run, _ = run_of(measure=4)
    tally = Tally(run, clock=clock)
    assert tally.add([TaskEvent("measure", TaskState.RUNNING, 4, 0, 0, 4)]) == []
    clock.now += 2
    assert tally.add([TaskEvent("measure", TaskState.SUCCESS, 3, 0, 0, 3)]) == []
    assert tally.tasks["measure"].rate(clock.now) == 1.5
    complete = tally.add([TaskEvent("measure", TaskState.FAILED, 1, 0, 3, 4)])
    assert [(task.name, task.done, task.failed, task.total) for task in complete] == [("measure", 4, 1, 4)]


def test_tally_learns_the_width_of_a_map_on_the_way() -> None:
    """A map whose width becomes known while the run goes on is not complete after its first element."""
    clock = Clock()
    run, ledger = run_of(measure=None)
    tally = Tally(run, clock=clock)
    ledger.mapped[0] = MappedColumns(3)
    assert tally.add([TaskEvent("measure", TaskState.SUCCESS, 1, 0, 0, 1)]) == []
    assert tally.add([TaskEvent("measure", TaskState.SUCCESS, 2, 0, 1, 3)]) != []


def test_tally_times_a_task_from_what_was_heard_before_it() -> None:
    """A task that is heard of only when it is over took the time since the last news."""
    clock = Clock()
    run, _ = run_of(first=None, second=None)
    tally = Tally(run, clock=clock)
    clock.now += 1
    tally.add([TaskEvent("first", TaskState.SUCCESS, 1, 0)])
    clock.now += 5
    tally.add([TaskEvent("second", TaskState.SUCCESS, 1, 1)])
    assert tally.tasks["first"].elapsed(clock.now) == 1
    assert tally.tasks["second"].elapsed(clock.now) == 5


def test_what_is_cancelled_is_not_done() -> None:
    """An interrupted run shows how far it came; what it never did is neither done nor failed."""
    run, _ = run_of(measure=4)
    tally = Tally(run, clock=Clock())
    events = [
        TaskEvent("measure", TaskState.SUCCESS, 1, 0, 0, 1),
        TaskEvent("measure", TaskState.CANCELLED, 3, 0, 1, 4),
    ]
    assert tally.add(events) == []
    assert (tally.tasks["measure"].done, tally.tasks["measure"].failed) == (1, 0)


def test_a_million_events_cost_little() -> None:
    """A bunch costs as much as it has events, whatever the width of the map behind it."""
    run, _ = run_of(measure=1_000_000)
    tally = Tally(run, clock=Clock())
    began = time.process_time()
    for low in range(0, 1_000_000, 1000):
        tally.add([TaskEvent("measure", TaskState.SUCCESS, 1000, 0, low, low + 1000)])
    assert tally.tasks["measure"].complete
    assert (
        time.process_time() - began < 5
    )  # it is some 2 ms; reading a million states each time would be minutes


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12 ms"), (0.9999, "1.0 s"), (4.25, "4.2 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    """A time is written in the unit in which one thinks of it."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(None, ""), (1250.0, "1,250/s"), (3.44, "3.4/s"), (0.2, "12.0/min")]
)
def test_rates_read_well(rate: float | None, text: str) -> None:
    """A rate is written in the second, or in the minute if it is slow."""
    assert frequency(rate) == text


def test_lines_say_when_a_task_is_complete() -> None:
    """A short run is three lines: what runs where, and one for each task when it is complete."""
    clock, stream = Clock(), io.StringIO()
    observer = LinesObserver(stream=stream, clock=clock)
    run, _ = run_of(find=None, measure=3)
    observer.penstock_flow_started(run)
    clock.now += 1
    observer.penstock_task_events(run, [TaskEvent("find", TaskState.SUCCESS, 1, 0)])
    clock.now += 2
    events = [
        TaskEvent("measure", TaskState.SUCCESS, 2, 1, 0, 2),
        TaskEvent("measure", TaskState.FAILED, 1, 1, 2, 3),
    ]
    observer.penstock_task_events(run, events)
    observer.penstock_flow_finished(run)
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
    observer.penstock_flow_started(run)
    for low in range(1200):
        clock.now += 0.05
        observer.penstock_task_events(run, [TaskEvent("measure", TaskState.SUCCESS, 1, 0, low, low + 1)])
    lines = stream.getvalue().splitlines()[1:]
    assert 10 <= len(lines) <= 12
    assert re.fullmatch(r"after 5\.\d s: measure 10\d/10,000 20/s", lines[0])


def test_lines_stay_few_with_a_thousand_tasks() -> None:
    """Many tasks that are complete at once share a line, which names some and counts the rest."""
    clock, stream = Clock(), io.StringIO()
    observer = LinesObserver(stream=stream, clock=clock)
    run, _ = run_of(**{f"step_{number}": None for number in range(1000)})
    observer.penstock_flow_started(run)
    for number in range(1000):
        clock.now += 0.001
        observer.penstock_task_events(run, [TaskEvent(f"step_{number}", TaskState.SUCCESS, 1, number)])
    observer.penstock_flow_finished(run)
    assert len(stream.getvalue().splitlines()) < 10
    assert "more" in stream.getvalue()


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
    observer.penstock_flow_started(run)
    try:
        events = [
            TaskEvent("find", TaskState.SUCCESS, 1, 0),
            TaskEvent("measure", TaskState.FAILED, 2, 1, 0, 2),
        ]
        observer.penstock_task_events(run, events)
        text = drawn(observer)
    finally:
        observer.penstock_flow_finished(run)
    assert "1/1" in text and "2/4" in text and "2 failed" in text and "census on local" in text
    assert max(map(len, text.splitlines())) <= width


def test_the_display_goes_away() -> None:
    """When the run is over the cursor is back, the rows are erased and no thread draws any more."""
    console = terminal()
    observer = ProgressObserver(console=console)
    run, _ = run_of(measure=4)
    observer.penstock_flow_started(run)
    observer.penstock_flow_finished(run)
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


def summary_of(run: FlowRun, *, only_failures: bool = False) -> str:
    """The summary as it would be written to a pipe."""
    stream = io.StringIO()
    SummaryObserver(stream=stream, only_failures=only_failures).penstock_flow_finished(run)
    return stream.getvalue()


def test_the_summary_of_a_success() -> None:
    """How it ended, where, how long, and a row for each task; nothing on failures."""
    run, ledger = run_of(find=None, measure=2)
    finish(ledger, 0, TaskState.SUCCESS, 0.25)
    finish(ledger, 1, TaskState.SUCCESS, 2.0, index=0)
    finish(ledger, 1, TaskState.SUCCESS, 1.0, index=1)
    run.duration = 2.5
    run.end(RunState.SUCCESS, result="done")
    assert summary_of(run) == textwrap.dedent(
        """\
        census: Success in 2.5 s on local (run abc), 3 task runs

        task     Success    work
        find           1  250 ms
        measure        2   3.0 s

        """
    )


def test_the_summary_shows_ten_failures_and_counts_the_rest() -> None:
    """A hundred failures are ten tracebacks, and how many more there are."""
    run, ledger = run_of(measure=100)
    for index in range(100):
        fail(ledger, 0, index, ValueError(f"no {index}"))
    run.end(RunState.FAILED, error=RuntimeError("failed"))
    text = summary_of(run)
    assert text.count("Traceback") == 10
    assert "measure[0] Failed on thread-1\n  Traceback (most recent call last):" in text
    assert "ValueError: no 9\n" in text and "no 10\n" not in text
    assert text.endswith("… and 90 more\n\n")


def test_the_quiet_summary_is_failures_alone() -> None:
    """A success says nothing; of a failed run, only why."""
    run, ledger = run_of(find=None)
    finish(ledger, 0, TaskState.SUCCESS, 0.25)
    run.end(RunState.SUCCESS, result=None)
    assert summary_of(run, only_failures=True) == ""
    fail(ledger, 0, None, ValueError("no"))
    run.end(RunState.FAILED, error=RuntimeError("failed"))
    assert summary_of(run, only_failures=True).startswith("find Failed on thread-1\n  Traceback")


def test_a_run_that_failed_without_a_failed_task_says_why() -> None:
    """If no task failed by itself, the error of the run is what there is to tell."""
    run, _ = run_of(find=None)
    run.end(RunState.FAILED, error=RuntimeError("the cluster went away"))
    assert [click.unstyle(text) for text in failures(run)] == ["RuntimeError: the cluster went away"]


def test_the_error_that_a_run_broke_off_by_is_left_to_whoever_it_is_raised_to() -> None:
    """The engine raises it, and so it would be told twice."""
    run, _ = run_of(find=None)
    run.end(RunState.FAILED, error=RunError("the run of census broke off: the pool is gone"))
    assert list(failures(run)) == []
    run.end(RunState.FAILED, error=RunTimeoutError("its time was up", seconds=1.0))
    assert len(list(failures(run))) == 1


def test_a_run_that_never_began_has_no_summary() -> None:
    """If the executor could not be opened, that error is all there is to tell."""
    run, _ = run_of(find=None)
    run.started = None
    run.end(RunState.CANCELLED, error=RuntimeError("nobody listens"))
    assert summary_of(run) == ""


def test_a_failure_without_traceback_shows_its_error() -> None:
    """A lost worker sends no traceback; the error itself is shown."""
    run, ledger = run_of(find=None)
    finish(ledger, 0, TaskState.CRASHED, 0.5)
    ledger.failures[0, None] = Failure(TaskState.CRASHED, RuntimeError("killed by SIGKILL"))
    run.end(RunState.FAILED, error=RuntimeError("failed"))
    assert [click.unstyle(text) for text in failures(run)] == [
        "find Crashed on thread-1\n  RuntimeError: killed by SIGKILL"
    ]
