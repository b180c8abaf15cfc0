"""`turgo compare FILE --on NAME,NAME`: the command."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from turgo.cli import FAILED, INTERRUPTED, SUCCESS
from turgo.cli.compare.comparison import Comparison
from turgo.cli.completion.values import flow_files, flow_parameters
from turgo.cli.flow_settings import config_for
from turgo.cli.parameters import CommandWithPairs, key_values, read_parameters
from turgo.cli.terminal.output import (
    output_to_error,
    show,
    show_error,
    show_json,
    show_warning,
    terminal_width,
)
from turgo.cli.terminal.signals import interruptible
from turgo.records.amounts import duration

if TYPE_CHECKING:
    from turgo.cli.compare.trial import Trial


def _names(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> list[str]:
    """The executors, in their order."""
    names = [name.strip() for part in given for name in part.split(",")]
    if not all(names):
        raise click.BadParameter("expected names with commas between them, as in local,hpc", ctx, param)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.BadParameter(f"{twice!r} is named twice; --times runs on each several times", ctx, param)
    return names


@click.command(cls=CommandWithPairs, short_help="Run a flow on several executors and measure them.")
@click.argument("target", metavar="FILE[:FLOW]|MODULE[:FLOW]", shell_complete=flow_files)
@click.option(
    "--on",
    "names",
    metavar="NAME,NAME",
    multiple=True,
    required=True,
    callback=_names,
    help="The executors; the others are compared with the first.",
)
@click.option("--times", metavar="N", type=click.IntRange(1), default=1, help="How often on each (1).")
@key_values("-p", "parameters", "A parameter of the flow, as often as you like.", flow_parameters)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def compare(target: str, names: list[str], times: int, parameters: dict[str, str], as_json: bool) -> int:
    """Run a flow on several executors, compare the results, and say which to take and why.

    NAME is what `--executor` takes; options are those of profiles and variables. Each run starts its executor anew,
    without a journal and with an empty cache. With --times the executors take turns, and medians are shown.

    \b
      turgo compare census.py --on local,local_dask,dask
      turgo compare census.py --on local,procs --times 5 -p limit=100

    \b
      time             of a run once its executor has started
      overhead a task  beside the least in which the calls can be over on so many slots
      bytes moved      between this process and the workers, by turgo
      memory           held at once on this machine, by this process and those below it

    The exit code is 0 if all runs succeed with equal results, else 1.
    """
    width = terminal_width()
    try:
        with interruptible(), output_to_error():
            comparison = _compared(target, names, times, parameters)
    except KeyboardInterrupt:
        show_error("interrupted", label="")
        return INTERRUPTED
    if comparison is None:
        return FAILED
    _show(comparison, width, as_json=as_json)
    return SUCCESS if comparison.agree else FAILED


def _compared(target: str, names: list[str], times: int, parameters: Mapping[str, str]) -> Comparison | None:
    """What came of all runs; None if the flow's own code failed, which is shown."""
    from turgo.cli.compare.trial import tried, with_empty_cache
    from turgo.cli.run import recorded
    from turgo.flows.files.flow_file import load_flow
    from turgo.registry.precedence import choose_executor
    from turgo.registry.resolve import Registry
    from turgo.runner import Launch

    config = config_for(target)
    registry = Registry(config)
    for name in names:
        choose_executor(
            argument=name, where="--on", registry=registry
        )  # one that cannot be had, before anything runs
    flow = load_flow(target)
    values = read_parameters(flow, parameters)
    trials: dict[str, list[Trial]] = {name: [] for name in names}
    for number in range(1, times + 1):
        for name in names:
            with TemporaryDirectory(prefix="turgo-compare-") as folder:
                chosen = choose_executor(argument=name, where="--on", registry=registry)
                launch = Launch(flow, chosen, with_empty_cache(config, folder))
                graph = recorded(flow, partial(launch.record, (), values))
                if graph is None:
                    return None
                trial = tried(launch, graph, show_warning)
            trials[name].append(trial)
            ended = "failed" if trial.failure else duration(trial.start_seconds + trial.seconds)
            click.echo(f"run {number} of {times} on {name}: {ended}", err=True)
    return Comparison.of(flow.name, trials)


def _show(comparison: Comparison, width: int | None, *, as_json: bool) -> None:
    from turgo.cli.compare.advice import advice
    from turgo.observers.tables import aligned, wrapped

    if as_json:
        show_json(comparison.record() | {"advice": advice(comparison)})
        return
    titles, rows = comparison.rows()
    table = aligned(titles, rows, right=range(1, len(titles)), width=width)
    lines = [each for sentence in comparison.verdict() for each in wrapped(sentence, width)]
    show("\n".join([table, "", *lines, *wrapped(advice(comparison), width)]))
