"""`penstock run FILE[:FLOW]`: load the flow, choose the executor, run the one on the other, report.

Mistakes are found in the order of their cost: an executor that cannot be had before the file is loaded, a
parameter that does not fit before anything is recorded, a bad graph before the executor is started.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import click

from penstock.cli import FAILED, INTERRUPTED, SUCCESS
from penstock.cli.interrupting import interruptible
from penstock.cli.output import show, show_error, show_warning
from penstock.cli.parameters import CommandWithPairs, key_values, read_parameters
from penstock.errors import UsageError
from penstock.sources import locate
from penstock.states import RunState

if TYPE_CHECKING:
    from penstock.config import Config
    from penstock.flows.definition import FlowDefinition
    from penstock.flows.graph import Graph
    from penstock.records import FlowRun
    from penstock.registry import Chosen


@click.command(cls=CommandWithPairs, short_help="Run the flow of a file on an executor.")
@click.argument("target", metavar="FILE[:FLOW]")
@click.option(
    "-e",
    "--executor",
    metavar="NAME",
    help="Where to run: a plugin, a profile, or a class path such as ./file.py:Class.",
)
@key_values("-o", "options", "An option of the executor, as often as you like.")
@key_values("-p", "parameters", "A parameter of the flow, as often as you like.")
@click.option("--fail-fast", is_flag=True, help="End the run as soon as a task has failed for good.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing but the result and why tasks failed.")
def run(
    target: str,
    executor: str | None,
    options: dict[str, str],
    parameters: dict[str, str],
    fail_fast: bool,
    quiet: bool,
) -> int:
    """Run the flow of a file. Its result goes to standard output, everything else to standard error.

    FLOW is needed only if the file holds several. A value is read by the type that the executor or the flow
    declares for it; lists and tables are written as in TOML.

    \b
      penstock run census.py
      penstock run census.py:census -p root=/usr/lib/python3 -p limit=10
      penstock run census.py -e local_dask -o scheduler=processes -o num_workers=4
      penstock run census.py -e dask -o 'cluster_kwargs={n_workers = 2}'
      penstock run census.py -e dask -o cluster_kwargs.n_workers=2
      penstock run census.py -e ./my_executor.py:MyExecutor
      penstock run census.py -e dask --fail-fast
      PENSTOCK_EXECUTOR=hpc penstock run census.py -q > table.txt

    `penstock executors list` says what NAME may be, `penstock executors show NAME` which options it has. Limits, the
    cache and the width of maps are set in files and variables: `penstock config --help`.

    Ctrl-C and SIGTERM cancel what waits, stop what the executor can stop, and close it; a second time ends the run at
    once.
    """
    try:
        with interruptible():
            from penstock.config import load_config

            config = load_config()
            flow, chosen = load(target, executor, options, config)
            graph = _recorded(flow, read_parameters(flow, parameters), config)
            if graph is None:
                return FAILED
            from penstock.engine.run import run_graph

            if fail_fast:
                graph.options = attrs.evolve(graph.options, fail_fast=True)
            end = run_graph(
                graph,
                chosen.executor,
                observers=observers(quiet=quiet),
                executor_name=chosen.name,
                config=config,
            )
            return _show_end(end)
    except KeyboardInterrupt:
        show_error("interrupted", label="")
        return INTERRUPTED


def _recorded(flow: FlowDefinition[..., Any], values: dict[str, Any], config: Config) -> Graph | None:
    """The graph of the flow; None if its own code failed, which is shown. Raises UsageError with the line at fault."""
    try:
        return flow.recorded((), values, flow.max_map_width(config))
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


def load(
    target: str, executor: str | None, options: Mapping[str, str], config: Config
) -> tuple[FlowDefinition[..., Any], Chosen]:
    """The flow and its executor. The file comes first only if it may have a say in which executor it is."""
    from penstock.registry import choose_executor

    chosen = None
    if executor is not None or config.executor.origin.kind == "variable":
        chosen = choose_executor(option=executor, option_options=options, config=config)

    from penstock.flows.files import load_flow

    flow = load_flow(target)
    if chosen is None:
        chosen = choose_executor(option_options=options, flow_default=flow.executor, config=config)
    return flow, chosen


def observers(*, quiet: bool) -> list[object]:
    """What reports on the run: a live display or lines, the summary, and what other packages bring."""
    from penstock.observers.loading import installed_observers
    from penstock.observers.summary import SummaryObserver

    found: list[object] = []
    if not quiet:
        found.append(_progress())
    found.append(SummaryObserver(only_failures=quiet))
    for each in installed_observers():
        if each.observer is None:
            show_warning(f"the observer {each.name!r} of {each.distribution} is left out: {each.problem}")
        else:
            found.append(each.observer)
    return found


def _progress() -> object:
    import os

    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from penstock.observers.progress import ProgressObserver  # loads rich

        return ProgressObserver()
    from penstock.observers.lines import LinesObserver

    return LinesObserver()


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
    from penstock.observers.frames import trim

    show_error(f"flow {flow.name!r} failed before its first task ran\n{trim(traceback.format_exc())}")
