"""What `turgo run` says of a run that goes on, and how one goes on with a run that failed."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from turgo.cli.terminal.output import show
from turgo.cli.terminal.trees import tree_text
from turgo.redaction import HIDDEN, is_secret, redacted_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from turgo.flows.graph import Graph
    from turgo.journal.archive import Archive


def show_preview(graph: Graph, earlier: Archive | None) -> None:
    """The tree with what would become of each task, and how many calls that is; a map of unknown width counts once."""
    from turgo.engine.kept.preview import preview

    found = preview(graph, earlier)
    show(tree_text(found.outline))
    for line in found.changes:
        show(line)
    if earlier is not None:
        from turgo.journal.facts import facts_of_run

        facts = facts_of_run(earlier.folder)
        where = f"from {facts.id}, {facts.state} on {facts.executor}"
        show(f"would be taken over {where}: {_counts(found.taken) or 'nothing'}")
    show(f"would run: {_counts(found.left) or 'nothing'}")
    if refused := _counts(found.refused):
        show(
            f"would not run without --rerun-unsafe, as it may have run, or waits for what may have: {refused}"
        )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} of {name}" for name, count in counts.items() if count)


def say_changes(graph: Graph, earlier: Archive) -> None:
    """Which code changed since, before what depends on it runs again."""
    from turgo.engine.kept.preview import changes_since

    for line in changes_since(graph, earlier):
        click.echo(line, err=True)


def say_how_to_go_on(journal: str) -> None:
    """The line that goes on with a run that did not succeed; what is secret has to be typed again."""
    arguments = [_shown(each) for each in _without_resume(sys.argv[1:])]
    command = shlex.join(["turgo", *arguments, f"--resume={journal}"])
    click.echo(f"What finished is kept. To go on with the rest: {command}", err=True)


def _without_resume(arguments: Sequence[str]) -> Iterator[str]:
    """All but `--resume`, `--resume=RUN` and `--resume RUN`, which click takes if RUN is no option."""
    before = ""
    for each in arguments:
        is_run = before == "--resume" and not each.startswith("-")
        if not is_run and each.partition("=")[0] != "--resume":
            yield each
        before = each


def _shown(argument: str) -> str:
    """An argument of the command line, without the value of what is secret by its name: `token=…`, `-ptoken=…`."""
    name, equals, _ = argument.partition("=")
    return f"{name}={HIDDEN}" if equals and is_secret(name) else redacted_text(argument)
