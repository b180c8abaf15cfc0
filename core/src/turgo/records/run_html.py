"""A run as a notebook shows it: how it ended, its tasks by state, and what failed."""

from __future__ import annotations

from itertools import islice

from turgo.records.amounts import duration
from turgo.records.html import bold, paragraph, preformatted, table
from turgo.records.states import TaskState
from turgo.records.task_runs import TaskRuns

LISTED_FAILURES = 10
"""How many failures are named."""

LISTED_TASKS = 50
"""How many tasks are named."""


def run_html(headline: str, task_runs: TaskRuns, error: BaseException | None) -> str:
    """It. headline: the run in one line. error: what ended it, if it did not succeed."""
    tasks = task_runs.by_task()
    states = [state for state in TaskState if any(state in totals.states for totals in tasks.values())]
    rows = [
        [
            name,
            *(f"{totals.states[state]:,}" if state in totals.states else "" for state in states),
            duration(totals.seconds) if totals.seconds else "" if totals.runs else "0 elements",
        ]
        for name, totals in islice(tasks.items(), LISTED_TASKS)
    ]
    parts = [table(bold(headline), ["task", *states, "work"], rows, right=range(1, len(states) + 2))]
    if len(tasks) > len(rows):
        parts.append(paragraph(f"and {len(tasks) - len(rows):,} more tasks"))
    failures = list(islice(task_runs.failures(), LISTED_FAILURES + 1))
    for each in failures[:LISTED_FAILURES]:
        parts.append(preformatted(f"{each.title}: {type(each.error).__name__}: {each.error}"))
    if len(failures) > LISTED_FAILURES:
        parts.append(paragraph("… and more: run.task_runs.failures()"))
    if error is not None and not failures:
        parts.append(preformatted(f"{type(error).__name__}: {error}"))
    return "".join(parts)
