"""What `turgo run` says of a run that goes on, and how one goes on with a run that failed."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from turgo.cli.terminal.output import show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from turgo.flows.graph import Graph
    from turgo.journal.archive import Archive


def show_preview(graph: Graph, earlier: Archive | None) -> None:
    """What would be taken over, and what would run; a map whose width depends on a value counts once."""
    if earlier is None:
        widths = graph.known_widths()
        counts = dict.fromkeys((node.task.name for node in graph.nodes), 0)
        for node in graph.nodes:
            counts[node.task.name] += widths.get(node.id, 1)
        show(f"would run: {_counts(counts)}")
        return
    from turgo.engine.kept.preview import preview
    from turgo.journal.facts import facts_of_run

    found, facts = preview(graph, earlier), facts_of_run(earlier.folder)
    for line in found.changes:
        show(line)
    where = f"from {facts.id}, {facts.state} on {facts.executor}"
    show(f"would be taken over {where}: {_counts(found.taken) or 'nothing'}")
    show(f"would run: {_counts(found.left) or 'nothing'}")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} of {name}" for name, count in counts.items() if count)


def say_changes(graph: Graph, earlier: Archive) -> None:
    """Which code changed since, before what depends on it runs again."""
    from turgo.engine.kept.preview import changes_since

    for line in changes_since(graph, earlier):
        click.echo(line, err=True)


def say_how_to_go_on(journal: str) -> None:
    """The line that goes on with a run that did not succeed."""
    arguments = [each for each in sys.argv[1:] if not each.startswith("--resume")]
    command = shlex.join(["turgo", *arguments, f"--resume={journal}"])
    click.echo(f"What finished is kept. To go on with the rest: {command}", err=True)
