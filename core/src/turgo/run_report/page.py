"""The page of a report: one file that needs no network, whose text stands there without any script."""

from __future__ import annotations

import contextlib
import html
import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import click

from turgo.errors import UsageError
from turgo.observers.failures import described, grouped
from turgo.observers.summary import READ_FAILURES
from turgo.outlines.structure import Structure
from turgo.records.amounts import duration
from turgo.records.failure_facts import facts_of
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Key, Ledger
from turgo.records.task_run import INPUTS_TASK_RUNS
from turgo.run_report.bars import timeline
from turgo.run_report.calls import Titles, calls_of
from turgo.run_report.critical_path import Step, critical_path, total
from turgo.run_report.plots import check_bokeh, durations_plot, embedded, timeline_plot
from turgo.run_report.time_shares import TimeShares, time_shares

SHOWN_STEPS = 20
"""How many steps of the critical path are named."""

SHOWN_GROUPS = 100
"""How many failures that are not alike are shown."""

Row = Sequence[str]

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; padding: 0 1.5em; max-width: 1400px; color: #1f2937; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } td, th { padding: .15em 1em .15em 0; text-align: left; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f4f5f7; padding: 1em; overflow-x: auto; } summary { cursor: pointer; color: #c0392b; }
.Success { color: #1e8449; } .Failed { color: #c0392b; } .Cancelled { color: #a67c00; }
#clicked { min-height: 1.5em; color: #374151; }
"""


def place_of(path: Path) -> Path:
    """Where a report is to be written, in the place of a file. Raises UsageError for a device, a pipe or a folder."""
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise UsageError(f"{path} is no file, and a report would take its place")
    return place


def write_report(
    path: Path, run: FlowRun, ledger: Ledger, structure: Structure, input_of: Callable[[Key], str] | None
) -> None:
    """Write the report of a run. input_of: looks for the input of a call.

    Raises MissingPackageError if bokeh is not installed, UsageError if what stands there is no file, and OSError.
    The file is there whole or not at all; of a link it is what that leads to.
    """
    check_bokeh()
    path = place_of(path)
    text = page(run, ledger, structure, input_of)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_text(text, encoding="utf-8", errors="replace")
        beside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def page(
    run: FlowRun, ledger: Ledger, structure: Structure, input_of: Callable[[Key], str] | None = None
) -> str:
    """The text of the file."""
    calls = calls_of(ledger)
    title = Titles(ledger, input_of if len(calls) <= INPUTS_TASK_RUNS else None)
    began = min((call.began for call in calls), default=run.started or 0.0)
    began = min(began, run.started) if run.started is not None else began
    ended = max((call.end for call in calls), default=began)
    after = (run.duration or 0.0) - (run.start_seconds or 0.0) - (ended - began)
    drawn = timeline(calls, title, began)
    seconds: dict[str, list[float]] = {}
    for call in calls:
        seconds.setdefault(call.task, []).append(call.seconds)
    bokeh, script, elements = embedded([timeline_plot(drawn), durations_plot(seconds)])
    shares = time_shares(ledger, structure, calls, run.slots or 1, began, ended)
    parts = [
        _heading(run),
        _table(("task", "task runs", "work"), _tasks(run), right=(2,)),
        *_where_time_went(shares, critical_path(ledger, structure, calls), title, ended - began, after),
        "<h2>Timeline</h2>",
        f"<p>{_text(drawn.note)}</p>" if drawn.note else "",
        elements[0] if calls else "<p>No call was made.</p>",
        '<p id="clicked">A click on a bar writes here what it is; one on a name hides its bars.</p>',
        "<h2>Durations by task</h2>",
        elements[1] if calls else "",
        *_failures(run),
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{_text(run.flow)}: {run.state}</title>',
            f'<link rel="icon" href="data:,"><style>{_STYLE}</style>',
            bokeh if calls else "",
            "</head><body>",
            *parts,
            script if calls else "",
            "</body></html>",
        ]
    )


def _text(text: object) -> str:
    return html.escape(str(text))


def _took(seconds: float) -> str:
    return _text(duration(seconds))


def _heading(run: FlowRun) -> str:
    when = "" if run.started is None else time.strftime("%F %T", time.localtime(run.started))
    took = "" if run.duration is None else f", in {_took(run.duration)}"
    start = (
        ""
        if not run.start_seconds
        else f", of which the start of the executor took {_took(run.start_seconds)}"
    )
    error = f"<p>{_text(f'{type(run.error).__name__}: {run.error}')}</p>" if run.error is not None else ""
    return (
        f'<h1>{_text(run.flow)}: <span class="{run.state}">{run.state}</span></h1>'
        f"<p>Run {_text(run.id)} on {_text(run.executor)}{f', begun {when}' if when else ''}{took}{start}.</p>{error}"
    )


def _tasks(run: FlowRun) -> Iterator[Row]:
    """A row for each task: its task runs by state, and the seconds that they took together."""
    for name, totals in run.task_runs.by_task().items():
        states = ", ".join(f"{count:,} {state}" for state, count in totals.states.items())
        yield name, states or "0 elements", duration(totals.seconds) if totals.seconds else ""


def _where_time_went(
    shares: TimeShares, path: Sequence[Step], title: Callable[[Key], str], took: float, after: float
) -> Iterator[str]:
    yield "<h2>Where the time went</h2>"
    slots = "one slot" if shares.slots == 1 else f"{shares.slots:,} slots"
    rows = [
        ("calls", shares.calls, "the functions themselves"),
        (
            "overhead",
            shares.overhead,
            "slots without a call while one was ready: sending, starting, reading results",
        ),
        ("idle", shares.idle, "slots without a call while none was ready: the graph offers no more"),
    ]
    whole = shares.whole or 1.0
    yield f"<p>On {slots}, from the first moment of the run to the end of its last call, {_took(took)}:</p>"
    yield _table(
        ("", "share", "seconds of slots", ""),
        [(name, f"{share / whole:.1%}", f"{share:,.2f}", words) for name, share, words in rows],
        right=(1, 2),
    )
    work, longest = shares.calls / shares.slots, total(path)
    bound = max(work, longest)
    why = "the critical path" if longest >= work else f"the work of all calls on {slots}"
    share = f", and it was done in {took / bound:.2f} times as much" if bound > 0 else ""
    yield f'<p id="bound">With calls that take what they took, it cannot be done in less than {_took(bound)} on '
    yield f"{slots}: that is {why}{share}.</p>"
    if after > 0:
        yield f"<p>What was left to do after the last call, as closing the executor, took {_took(after)} more.</p>"
    calls = "1 call" if len(path) == 1 else f"{len(path):,} calls"
    yield "<h2>Critical path</h2>"
    yield f"<p>The longest chain of calls that wait for each other takes {_took(longest)}, in {calls}.</p>"
    steps = [(title(step.key), duration(step.seconds)) for step in _longest(path)]
    yield _table(("call", "took"), steps, right=(1,))
    if len(path) > SHOWN_STEPS:
        yield f"<p>These are the {SHOWN_STEPS} that took longest, in their order.</p>"


def _longest(path: Sequence[Step]) -> list[Step]:
    """The steps that took longest, in their order."""
    kept = sorted(range(len(path)), key=lambda at: -path[at].seconds)[:SHOWN_STEPS]
    return [path[at] for at in sorted(kept)]


def _failures(run: FlowRun) -> Iterator[str]:
    """Those that are alike together, each in full once."""
    found = run.task_runs.failures()
    groups = grouped(map(facts_of, islice(found, READ_FAILURES)))
    if not groups:
        return
    yield "<h2>Failures</h2>"
    for number, group in enumerate(groups[:SHOWN_GROUPS]):
        head, _, rest = click.unstyle(described(group, run.journal, None)).partition("\n")
        opened = " open" if number == 0 else ""
        yield f"<details{opened}><summary>{_text(head)}</summary><pre>{_text(rest)}</pre></details>"
    more = sum(map(len, groups[SHOWN_GROUPS:])) + sum(1 for _ in found)
    if more:
        yield f"<p>… and {more:,} more</p>"


def _table(header: Row, rows: Iterator[Row] | Sequence[Row], *, right: Sequence[int] = ()) -> str:
    def line(kind: str, cells: Row) -> str:
        parts = (
            f"<{kind}{' class=number' if at in right else ''}>{_text(cell)}</{kind}>"
            for at, cell in enumerate(cells)
        )
        return f"<tr>{''.join(parts)}</tr>"

    return f"<table>{line('th', header)}{''.join(line('td', row) for row in rows)}</table>"
