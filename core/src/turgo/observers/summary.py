"""Sums up a run that is over. It says how it ended, counts tasks by state, and explains the failed ones."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from itertools import islice
from typing import TextIO

import click

from turgo.errors import RunError
from turgo.hooks import hookimpl
from turgo.observers.tables import aligned
from turgo.records.amounts import duration
from turgo.records.flow_run import FlowRun
from turgo.records.states import RunState, TaskState

SHOWN_FAILURES = 10
"""How many failures are shown in full."""
READ_FAILURES = 1000
"""How many failures are looked at for those that are alike."""
TABLE_LINES = 40
"""How many task names the table has at most."""


class SummaryObserver:
    """Writes the summary to `stream` (default: standard error); `only_failures` leaves out all else."""

    def __init__(self, *, stream: TextIO | None = None, only_failures: bool = False) -> None:
        self._stream = stream
        self.only_failures = only_failures

    @hookimpl
    def turgo_flow_finished(self, run: FlowRun) -> None:
        """Write it; nothing if the executor could not be opened, as an error is raised for that."""
        if run.started is None:
            return
        stream = self._stream or sys.stderr
        width = shutil.get_terminal_size().columns if stream.isatty() else None
        parts = [] if self.only_failures else [headline(run), table(run, width)]
        parts += failures(run, width)
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


def table(run: FlowRun, width: int | None = None) -> str:
    """One row for each task name: how many task runs are in each state, and the time they took together.

    A map over nothing says so.     width: of a line, in characters; None for any.
    """
    tasks = run.task_runs.by_task()
    states = [state for state in TaskState if any(state in totals.states for totals in tasks.values())]
    rows = []
    for name, totals in islice(tasks.items(), TABLE_LINES):
        counts = [f"{totals.states[state]:,}" if state in totals.states else "" for state in states]
        work = duration(totals.seconds) if totals.seconds else ""
        rows.append([name, *counts, work if totals.runs else "0 elements"])
    text = aligned(["task", *states, "work"], rows, right=range(1, len(states) + 2), width=width)
    more = len(tasks) - len(rows)
    return f"{text}\nand {more:,} more tasks" if more > 0 else text


def failures(run: FlowRun, width: int | None = None) -> Iterator[str]:
    """The task runs that failed by themselves, those that are alike together, and how many more there are."""
    found = run.task_runs.failures()
    some = list(islice(found, READ_FAILURES))
    if some:
        from turgo.observers.failures import described, grouped  # late: most runs have none
        from turgo.records.failure_facts import facts_of

        groups = grouped(map(facts_of, some))
        for group in groups[:SHOWN_FAILURES]:
            yield described(group, run.journal, width)
        more = sum(map(len, groups[SHOWN_FAILURES:])) + sum(1 for _ in found)
        if more:
            yield f"… and {more:,} more"
    broke_off = type(run.error) is RunError  # its cause is raised to whoever runs the flow, and shown there
    if not some and run.state is RunState.FAILED and run.error is not None and not broke_off:
        yield click.style(f"{type(run.error).__name__}: {run.error}", fg="red")
