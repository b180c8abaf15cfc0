"""`turgo run FILE[:FLOW]` loads a flow, chooses an executor, runs it and reports.

Mistakes are found in the order of their cost: an executor that cannot be had before the file is loaded, a
parameter that does not fit before anything is recorded, a bad graph before the executor is started.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from turgo.cli import FAILED, INTERRUPTED, SUCCESS
from turgo.cli.completion.values import executor_names, executor_options, flow_files, flow_parameters
from turgo.cli.flow_help import FlowCommand
from turgo.cli.flow_settings import config_for
from turgo.cli.parameters import key_values, read_parameters
from turgo.cli.report import check_report, shows_inputs, write_report
from turgo.cli.terminal.logs import LEVELS, say_from
from turgo.cli.terminal.output import output_to_error, show, show_error, show_warning
from turgo.cli.terminal.signals import interruptible
from turgo.errors import UsageError
from turgo.records.states import RunState
from turgo.registry.source_files import locate

if TYPE_CHECKING:
    from turgo.config.load import Config
    from turgo.flows.flow import FlowDefinition
    from turgo.flows.graph import Graph
    from turgo.journal.session import Session
    from turgo.records.flow_run import FlowRun
    from turgo.runner import Launch


@click.command(cls=FlowCommand, short_help="Run the flow of a file on an executor.")
@click.argument("target", metavar="FILE[:FLOW]|MODULE[:FLOW]", shell_complete=flow_files)
@click.option(
    "-e",
    "--executor",
    metavar="NAME",
    shell_complete=executor_names,
    help="Where to run: a plugin, a profile, or a class path such as ./file.py:Class.",
)
@key_values("-o", "options", "An option of the executor, as often as you like.", executor_options)
@key_values("-p", "parameters", "A parameter of the flow, as often as you like.", flow_parameters)
@click.option("--fail-fast", is_flag=True, help="End the run as soon as a task has failed for good.")
@click.option(
    "--resume",
    metavar="[=RUN]",
    is_flag=False,
    flag_value="",
    help="Go on with the last unfinished run of this flow and parameters, or with a certain one.",
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would run and what would be taken over, and start nothing."
)
@click.option(
    "--rerun-unsafe", is_flag=True, help="With --resume: make calls again that may not be made twice."
)
@click.option("--no-journal", is_flag=True, help="Keep nothing of this run to go on from.")
@click.option(
    "--report",
    metavar="FILE.html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page on the run to this file: where the time went, and why what failed did.",
)
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but the result and why tasks failed.")
@click.option(
    "--log-level",
    metavar="LEVEL",
    type=click.Choice(LEVELS, case_sensitive=False),
    help=f"Say what is logged at this level or above: {', '.join(LEVELS)}.",
)
def run(
    target: str,
    executor: str | None,
    options: dict[str, str],
    parameters: dict[str, str],
    fail_fast: bool,
    resume: str | None,
    dry_run: bool,
    rerun_unsafe: bool,
    no_journal: bool,
    report: Path | None,
    quiet: bool,
    log_level: str | None,
) -> int:
    """Run the flow of a file. Its result goes to standard output, everything else to standard error.

    FLOW is needed only if the file holds several. A module that can be imported is named as in `python -m`:
    pkg.mod, or pkg.mod:FLOW. A value is read by the type that the executor or the flow declares for it; lists and
    tables are written as in TOML. With --help the parameters of the flow are listed as well.

    \b
      turgo run census.py
      turgo run census.py --help
      turgo run reports.monthly:census --log-level info
      turgo run census.py:census -p root=/usr/lib/python3 -p limit=10
      turgo run census.py -e local_dask -o scheduler=processes -o num_workers=4
      turgo run census.py -e dask -o 'cluster_kwargs={n_workers = 2}'
      turgo run census.py -e dask -o cluster_kwargs.n_workers=2
      turgo run census.py -e ./my_executor.py:MyExecutor
      turgo run census.py -e dask --fail-fast
      TURGO_EXECUTOR=hpc turgo run census.py -q > table.txt
      turgo run census.py -e dask --report run.html
      turgo run census.py -e dask --resume
      turgo run census.py --resume=census-1f2e --dry-run

    `turgo executors list` says what NAME may be, `turgo executors show NAME` which options it has. Limits, the
    cache and the width of maps are set in files and variables: `turgo config --help`.

    Ctrl-C, SIGTERM and the end of the terminal cancel what waits, stop what the executor can stop, and close it; a
    second time ends the run at once.
    """
    _refuse_contradictions(resume, dry_run=dry_run, rerun_unsafe=rerun_unsafe, no_journal=no_journal)
    if report is not None:
        check_report(report, dry_run=dry_run)
    try:
        with interruptible():
            with output_to_error():
                launch, values = _launch(target, executor, options, parameters)
                if log_level is not None:
                    say_from(log_level)
                graph = recorded(launch.flow, lambda: launch.record((), values, fail_fast=fail_fast))
            if graph is None:
                return FAILED
            if dry_run:
                return _show_plan(launch, graph, values, resume)
            with output_to_error():
                session = None if no_journal else _session(launch, graph, values, resume, unsafe=rerun_unsafe)
                run = _executed(launch, graph, session, report, quiet=quiet)
            return _show_end(run)
    except KeyboardInterrupt:
        show_error("interrupted", label="")
        return INTERRUPTED


def _refuse_contradictions(
    resume: str | None, *, dry_run: bool, rerun_unsafe: bool, no_journal: bool
) -> None:
    if no_journal and resume is not None:
        raise click.UsageError(
            "--no-journal and --resume: a run goes on from its journal, and writes the rest to it"
        )
    if rerun_unsafe and (resume is None or dry_run):
        raise click.UsageError(
            "--rerun-unsafe says what a run with --resume does, and --dry-run runs nothing"
        )


def _launch(
    target: str, executor: str | None, options: Mapping[str, str], parameters: Mapping[str, str]
) -> tuple[Launch, dict[str, Any]]:
    """The flow on its executor, and its parameters."""
    launch = load(target, executor, options, config_for(target))
    return launch, read_parameters(launch.flow, parameters)


def _session(
    launch: Launch, graph: Graph, values: dict[str, Any], resume: str | None, *, unsafe: bool
) -> Session | None:
    """The journal of the run, unless the configuration says that there is none. Raises JournalError."""
    from turgo.journal.session import new_session, resumed_session

    config, name = launch.config, launch.chosen.name
    if resume is None:
        return new_session(config, launch.flow, name, values) if config.journal["enabled"].value else None
    from turgo.cli.resume import say_changes

    session = resumed_session(config, launch.flow, name, values, resume, unsafe=unsafe)
    if session.earlier is not None:
        say_changes(graph, session.earlier)
    return session


def _executed(
    launch: Launch, graph: Graph, session: Session | None, report: Path | None, *, quiet: bool
) -> FlowRun:
    """Run it. If it does not succeed, or is interrupted, say how one goes on with the rest."""
    ok = True
    prepared = launch.prepare(
        graph,
        observers(launch.config, quiet=quiet),
        warn=show_warning,
        session=session,
        keep_values=report is not None and shows_inputs(graph),
    )
    try:
        run = prepared.go()
        ok = run.ok
    except KeyboardInterrupt:
        ok = False
        raise
    finally:
        if report is not None:
            write_report(prepared.run, report)
        if session is not None and not ok:
            from turgo.cli.resume import say_how_to_go_on

            say_how_to_go_on(session.id)
    return run


def _show_plan(launch: Launch, graph: Graph, values: dict[str, Any], resume: str | None) -> int:
    """Say what would run."""
    from turgo.cli.resume import show_preview
    from turgo.journal.session import archive_of

    show_preview(graph, None if resume is None else archive_of(launch.config, launch.flow, values, resume))
    return SUCCESS


def recorded(flow: FlowDefinition[..., Any], record: Callable[[], Graph]) -> Graph | None:
    """The graph of a flow; None if its own code failed, which is shown. Raises UsageError with the line at fault."""
    try:
        return record()
    except UsageError as error:
        locate(error, getattr(getattr(flow.fn, "__code__", None), "co_filename", None))
        raise
    except Exception:  # noqa: BLE001  (the flow's own code, which may raise anything)
        _show_recording_failed(flow)
        return None


def _show_end(run: FlowRun) -> int:
    """Show the result, if the run has one; the exit code."""
    if not run.ok:
        return INTERRUPTED if run.state is RunState.CANCELLED else FAILED
    if run.error is not None:
        show_warning(f"there is no result: {run.error}")
    else:
        show_result(run.result)
    return SUCCESS


def load(target: str, executor: str | None, options: Mapping[str, str], config: Config) -> Launch:
    """The flow on its executor. The file comes first only if it may have a say in which executor it is."""
    from turgo.registry.precedence import choose_executor
    from turgo.registry.resolve import Registry

    registry, chosen = Registry(config), None
    if executor is not None or config.executor.origin.kind == "variable":
        chosen = choose_executor(option=executor, option_options=options, registry=registry)

    from turgo.flows.files.flow_file import load_flow

    flow = load_flow(target)
    if chosen is None:
        chosen = choose_executor(option_options=options, flow_default=flow.executor, registry=registry)

    from turgo.runner import Launch

    return Launch(flow, chosen, config)


def observers(config: Config, *, quiet: bool) -> list[object]:
    """What reports on the run: a live display or lines, and the summary."""
    from turgo.observers.display import of_command
    from turgo.observers.summary import SummaryObserver

    summary = SummaryObserver(only_failures=quiet)
    shown = None if quiet else of_command(config.progress)
    return [summary] if shown is None else [shown, summary]


def show_result(result: Any) -> None:
    """A text as it is, None not at all, anything else as Python writes it, broken into lines."""
    if result is None:
        return
    if not isinstance(result, str):
        from pprint import pformat

        result = pformat(result, width=100, sort_dicts=False)
    show(result)


def _show_recording_failed(flow: FlowDefinition[..., Any]) -> None:
    """The flow's own function raised before any task ran."""
    from turgo.observers.tracebacks import trim

    show_error(f"flow {flow.name!r} failed before its first task ran\n{trim(traceback.format_exc())}")
