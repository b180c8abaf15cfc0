"""What `turgo run --report FILE` does before a run, and after it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turgo.cli.terminal.output import show_warning

if TYPE_CHECKING:
    from turgo.flows.graph import Graph
    from turgo.records.flow_run import FlowRun


def check_report(path: Path, *, dry_run: bool) -> None:
    """Find before the run what would keep its report from being written.

    Raises a UsageError of click or of ours, or MissingPackageError if bokeh is not installed.
    """
    if dry_run:
        raise click.UsageError("--report tells of a run, and --dry-run runs nothing")
    if not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        raise click.UsageError(f"--report {path}: {path.parent} is no folder that can be written to")
    from turgo.run_report.page import place_of
    from turgo.run_report.plots import check_bokeh

    check_bokeh()
    place_of(path)


def shows_inputs(graph: Graph) -> bool:
    """Whether the report shows what calls are made of, so that the run has to hold their values: not of many calls."""
    from turgo.records.task_run import INPUTS_TASK_RUNS

    return len(graph.nodes) + sum(graph.known_widths().values()) <= INPUTS_TASK_RUNS


def write_report(run: FlowRun, path: Path) -> None:
    """Write the report, however the run ended; that it cannot be written does not change how."""
    if run.started is None:  # its executor did not start, which is an error of its own
        return
    try:
        run.report(path)
    except Exception as error:  # noqa: BLE001  (the run is over, and what came of it is to be said)
        show_warning(f"the report {path} was not written: {type(error).__name__}: {error}")
    else:
        click.echo(f"report: {path}", err=True)
