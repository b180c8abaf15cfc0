"""What became of a run, once it is over: how it ended, the tasks by state, and why the failed ones failed."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from itertools import islice
from textwrap import indent
from typing import TextIO

import click

from penstock.errors import RunError
from penstock.hooks import hookimpl
from penstock.observers.columns import aligned
from penstock.observers.frames import trim
from penstock.observers.tally import duration
from penstock.records import FlowRun, TaskRun
from penstock.states import RunState, TaskState

SHOWN = 10
"""How many failures are shown in full, and how many task names."""
ROWS = 40
"""How many task names the table has at most."""


class SummaryObserver:
    """Writes the summary to `stream` (default: standard error); `only_failures` leaves out all else."""

    def __init__(self, *, stream: TextIO | None = None, only_failures: bool = False) -> None:
        self._stream = stream
        self.only_failures = only_failures

    @hookimpl
    def penstock_flow_finished(self, run: FlowRun) -> None:
        """Write it; nothing if the executor could not be opened, which whoever called is told by an error."""
        if run.started is None:
            return
        stream = self._stream or sys.stderr
        parts = [] if self.only_failures else [headline(run), table(run)]
        parts += failures(run)
        for part in filter(None, parts):
            click.echo(f"{part}\n", file=stream)


def headline(run: FlowRun) -> str:
    """`census: Success in 2.3 s on dask (run 5f0c…), 758 task runs`."""
    took = f" in {duration(run.duration)}" if run.duration is not None else ""
    colour = {RunState.SUCCESS: "green", RunState.FAILED: "red"}.get(run.state, "yellow")
    state = click.style(run.state, fg=colour, bold=True)
    count = len(run.task_runs)
    runs = "1 task run" if count == 1 else f"{count:,} task runs"
    return f"{run.flow}: {state}{took} on {run.executor} (run {run.id}), {runs}"


def table(run: FlowRun) -> str:
    """One row for each task name: how many task runs are in each state, and the time they took together."""
    tasks = run.task_runs.by_task()
    states = [state for state in TaskState if any(state in totals.states for totals in tasks.values())]
    rows = []
    for name, totals in islice(tasks.items(), ROWS):
        counts = [f"{totals.states[state]:,}" if state in totals.states else "" for state in states]
        rows.append([name, *counts, duration(totals.seconds) if totals.seconds else ""])
    text = aligned(["task", *states, "work"], rows, right=range(1, len(states) + 2))
    more = len(tasks) - len(rows)
    return f"{text}\nand {more:,} more tasks" if more > 0 else text


def failures(run: FlowRun) -> Iterator[str]:
    """The first task runs that failed by themselves, each with its traceback, and how many more there are."""
    found = run.task_runs.failures()
    shown = list(islice(found, SHOWN))
    for failed in shown:
        yield describe(failed)
    more = sum(1 for _ in found)
    if more:
        yield f"… and {more:,} more"
    broke_off = type(run.error) is RunError  # its cause is raised to whoever runs the flow, and told of there
    if not shown and run.state is RunState.FAILED and run.error is not None and not broke_off:
        yield click.style(f"{type(run.error).__name__}: {run.error}", fg="red")


def describe(failed: TaskRun) -> str:
    """`measure[17] Failed (attempt 2, on worker-3)`, and below it the traceback in the user's frames."""
    where = f" on {failed.worker}" if failed.worker else ""
    tries = f" in attempt {len(failed.attempts)}" if len(failed.attempts) > 1 else ""
    title = click.style(f"{failed.label} {failed.state}{tries}{where}", fg="red")
    # An error without frames, as of a call that timed out, has no traceback: then it is its last line alone.
    text = failed.traceback
    if not text and failed.error is not None:
        text = "".join(traceback.format_exception(failed.error))
    text = trim(text)
    return f"{title}\n{indent(text, '  ')}" if text else title
