"""`turgo runs`: the runs whose journals are kept, what became of each, and removing them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from turgo.cli.terminal.output import show, show_json, terminal_width

if TYPE_CHECKING:
    from turgo.config.load import Config
    from turgo.journal.facts import RunFacts


@click.group(invoke_without_command=True, short_help="The runs whose journals are kept.")
@click.pass_context
def runs(ctx: click.Context) -> None:
    """The runs whose journals are kept, from which `turgo run FILE --resume` goes on.

    \b
      turgo runs list             all of them, the last one first
      turgo runs show             what became of the last one
      turgo runs show RUN         of another one; RUN may be the beginning of its id
      turgo runs show RUN score[137]
      turgo runs rm RUN           remove its journal
      turgo runs prune            remove what is too old or too much, as each run does

    Journals lie in the user's state directory; `[journal]` in turgo.toml says how much is kept. Without a
    command: list.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_runs)


@runs.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def list_runs(as_json: bool = False) -> None:
    """List all runs, the last one first.

    \b
      turgo runs list --json
    """
    from turgo.journal.runs import all_runs, size_of
    from turgo.observers.tables import aligned

    found = all_runs(_root())
    if as_json:
        show_json([{**_record(run), "bytes": size_of(run.folder)} for run in found])
        return
    rows = [[run.id, run.state, _when(run), run.executor, _counts(run)] for run in found]
    titles = ["run", "state", "started", "executor", "task runs"]
    show(aligned(titles, rows, width=terminal_width()) if rows else "no run is kept")


@runs.command("show")
@click.argument("run", metavar="[RUN]", required=False)
@click.argument("task", metavar="[TASK]", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def show_run(run: str | None, task: str | None, as_json: bool) -> None:
    """Show what became of a run: parameters, counts, and each failure with its traceback and log.

    Without RUN, of the one that began last.

    With TASK, the name of a task or of one of its runs, it says why that is as it is: it ran or was taken over, its
    value is kept or not, it failed, was skipped, or was not reached before the driver was killed.

    \b
      turgo runs show
      turgo runs show census-1f2e
      turgo runs show census-1f2e score
      turgo runs show census-1f2e score[137]
    """
    from turgo.journal.runs import failures_of, last_run, run_named
    from turgo.observers.failures import LOG_LINES, described, grouped

    found = _so_far(last_run(_root()) if run is None else run_named(_root(), run))
    failures = failures_of(found.folder)
    explained = None if task is None else _explained(found, task)
    if task is not None:
        failures = [each for each in failures if task in (each.label, each.task)]
    if as_json:
        record = {**_record(found), **({} if explained is None else {"explanation": explained})}
        show_json({**record, "failures": [each._asdict() for each in failures]})
        return
    show(_text(found) if explained is None else explained)
    width = terminal_width()
    most = None if len(failures) == 1 else LOG_LINES
    for group in grouped(failures):
        show(f"\n{described(group, found.id, width, most)}")


@runs.command("rm")
@click.argument("ids", metavar="RUN…", nargs=-1, required=True)
def remove_runs(ids: tuple[str, ...]) -> None:
    """Remove the journals of runs.

    \b
      turgo runs rm census-1f2e census-77ab
    """
    from turgo.journal.runs import remove, run_named

    for run in [run_named(_root(), each) for each in ids]:
        remove(run.folder)
        show(f"removed {run.id}")


@runs.command("prune")
def prune_runs() -> None:
    """Remove what is older than `max_age_days`, then the oldest until the rest is below `max_bytes`.

    \b
      TURGO_JOURNAL__MAX_AGE_DAYS=7 turgo runs prune
    """
    from turgo.journal.limits import prune

    settings = _config().journal
    gone = prune(_root(), max_bytes=settings["max_bytes"].value, max_age_days=settings["max_age_days"].value)
    show("\n".join(f"removed {each}" for each in gone) or "there is nothing to remove")


def _explained(run: RunFacts, task: str) -> str:
    """Why a task run is as it is. Raises JournalError if nothing is known of it, ParameterError if there is none."""
    from turgo.engine.outcome.recorded import recorded_explanation
    from turgo.journal.facts import KILLED
    from turgo.journal.runs import columns_of

    columns = columns_of(run.folder)
    return recorded_explanation(columns, run.id, ended_by=run.error, killed=run.state == KILLED)(task)


def _so_far(run: RunFacts) -> RunFacts:
    """A run that is at work, or whose driver was killed, with the counts of what its journal knows of it."""
    from turgo.engine.outcome.columns import opened
    from turgo.journal.database import damage
    from turgo.journal.facts import KILLED, RUNNING
    from turgo.journal.runs import columns_of

    columns = columns_of(run.folder) if run.state in (RUNNING, KILLED) else {}
    if not columns:
        return run
    try:
        counts = opened(columns).ledger.counts()
    except Exception as error:  # somebody may have changed it
        raise damage(run.folder.path, error) from error
    return attrs.evolve(run, counts={str(state): count for state, count in counts.items()})


def _config() -> Config:
    from turgo.config.load import load_config

    return load_config()


def _root() -> Path:
    from turgo.journal.folder import root_in

    return root_in(_config())


def _when(run: RunFacts) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.started)) if run.started else ""


def _counts(run: RunFacts) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in run.counts.items())


def _record(run: RunFacts) -> dict[str, object]:
    facts = {
        "id": run.id,
        "state": run.state,
        "flow": run.flow,
        "target": run.target,
        "executor": run.executor,
    }
    return {
        **facts,
        "started": run.started,
        "duration": run.duration,
        "parameters": run.parameters,
        "counts": run.counts,
        "error": run.error,
        "folder": str(run.folder.path),
    }


def _text(run: RunFacts) -> str:
    took = f", {run.duration:.1f} s" if run.duration is not None else ""
    lines = [f"{run.id}: {run.state} on {run.executor}, {_when(run)}{took}", f"flow: {run.target}"]
    lines += [f"parameter {name}: {value}" for name, value in run.parameters.items()]
    lines += [f"task runs: {_counts(run)}"] if run.counts else []
    lines += [f"error: {run.error}"] if run.error else []
    return "\n".join([*lines, f"journal: {run.folder.path}"])
