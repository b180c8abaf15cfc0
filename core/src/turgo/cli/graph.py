"""`turgo graph FILE` shows what a flow would run, `turgo graph --run RUN` what became of it, by task."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turgo.cli import FAILED, SUCCESS
from turgo.cli.completion.values import flow_files, flow_parameters, run_ids
from turgo.cli.flow_help import FlowCommand
from turgo.cli.flow_settings import config_for
from turgo.cli.parameters import key_values, read_parameters
from turgo.cli.terminal.output import output_to_error, show
from turgo.cli.terminal.trees import tree_text

if TYPE_CHECKING:
    from turgo.outlines.outline import Outline

FORMATS = ("tree", "mermaid", "svg")

SUFFIXES = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid"}
"""The format of a file, if none is asked for."""


@click.command(cls=FlowCommand, short_help="What a flow would run, as a tree or a picture.")
@click.argument("target", metavar="[FILE[:FLOW]|MODULE[:FLOW]]", required=False, shell_complete=flow_files)
@key_values("-p", "parameters", "A parameter of the flow, as often as you like.", flow_parameters)
@click.option(
    "--run",
    "run",
    metavar="RUN",
    shell_complete=run_ids,
    help="Instead of a file: a run that has a journal, coloured by what became of its tasks.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="tree (default), mermaid, or svg; a FILE.svg or FILE.mmd says it as well.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
def graph(
    target: str | None, parameters: dict[str, str], run: str | None, form: str | None, output: Path | None
) -> int:
    """Show the graph of a flow: which tasks it calls, and what each waits for. Nothing of it runs.

    What a task makes possible stands below it. A map is one line: ×? if its width is known only when the flow runs. A
    large graph is drawn together, and says so. SVG needs `turgo[graph]`.

    \b
      turgo graph census.py
      turgo graph census.py -p limit=10 --output census.svg
      turgo graph reports.monthly:census --format mermaid
      turgo graph --run census-1f2e
    """
    if (target is None) == (run is None):
        raise click.UsageError("give either the file of a flow or --run RUN")
    if run is not None and parameters:
        raise click.UsageError("-p says what a flow is to be called with, and --run looks at a run that was")
    outline = _of_flow(target, parameters) if target is not None else _of_run(str(run))
    if outline is None:
        return FAILED
    chosen = form or SUFFIXES.get("" if output is None else output.suffix.lower(), "tree")
    text = _formed(outline, chosen, to_terminal=output is None)
    if output is None:
        show(text)
    else:
        _write(output, text)
    return SUCCESS


def _of_flow(target: str, texts: dict[str, str]) -> Outline | None:
    """What a flow would run; None if its own code failed, which is shown."""
    from turgo.cli.run import recorded
    from turgo.flows.files.flow_file import load_flow
    from turgo.runner import record

    with output_to_error():
        flow = load_flow(target)
        values, config = read_parameters(flow, texts), config_for(target)
        found = recorded(flow, lambda: record(flow, (), values, config))
        return None if found is None else found.outline


def _of_run(asked: str) -> Outline:
    """What became of a run. Raises JournalError if it has no journal, or nothing is known of its task runs."""
    from turgo.config.load import load_config
    from turgo.engine.outcome.drawn import outline_of_run
    from turgo.engine.outcome.recorded import recorded_explanation
    from turgo.journal.facts import KILLED
    from turgo.journal.folder import root_in
    from turgo.journal.runs import columns_of, run_named

    found = run_named(root_in(load_config()), asked)
    columns = columns_of(found.folder)
    explanation = recorded_explanation(columns, found.id, ended_by=found.error, killed=found.state == KILLED)
    return outline_of_run(f"{found.flow}, {found.state} on {found.executor} (run {found.id})", explanation)


def _formed(outline: Outline, form: str, *, to_terminal: bool) -> str:
    if form == "svg":
        return outline.to_svg().rstrip()
    if form == "mermaid":
        return outline.to_mermaid().rstrip()
    return tree_text(outline) if to_terminal else str(outline)


def _write(path: Path, text: str) -> None:
    """Write a file. Raises FileError of click if it cannot be."""
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from error
    click.echo(f"wrote {path}", file=sys.stderr)
