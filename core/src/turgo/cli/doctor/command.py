"""`turgo doctor [NAME]`: the command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turgo.cli import FAILED, INTERRUPTED, SUCCESS
from turgo.cli.completion.values import executor_names, executor_options, flow_files, flow_parameters
from turgo.cli.doctor.findings import NOTE, WRONG, Finding, record, text
from turgo.cli.flow_settings import config_for
from turgo.cli.parameters import CommandWithPairs, key_values
from turgo.cli.terminal.output import output_to_error, show, show_error, show_json, terminal_width
from turgo.cli.terminal.signals import interruptible
from turgo.errors import (
    ConfigError,
    ExecutorNotInstalledError,
    OptionError,
    TurgoError,
    UnknownExecutorError,
    UsageError,
)
from turgo.names import reason_of

if TYPE_CHECKING:
    from turgo.config.load import Config
    from turgo.executor import Executor
    from turgo.flows.graph import Graph
    from turgo.registry.precedence import Chosen
    from turgo.registry.resolve import Registry


@click.command(cls=CommandWithPairs, short_help="What is wrong here, and the line that mends it.")
@click.argument("name", required=False, shell_complete=executor_names)
@click.option(
    "--flow", "target", metavar="FILE[:FLOW]", shell_complete=flow_files, help="A flow to look at too."
)
@key_values("-o", "options", "An option of the executor, as often as you like.", executor_options)
@key_values("-p", "parameters", "A parameter of the flow, as often as you like.", flow_parameters)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def doctor(
    name: str | None, target: str | None, options: dict[str, str], parameters: dict[str, str], as_json: bool
) -> int:
    """Look over what a run depends on, and say how to mend what is wrong with it.

    Python, the packages, the plugins and the configuration; then NAME, which is what `--executor` takes (the
    configured executor if not given), is started: its workers are compared with this process, and a round trip,
    calls and bytes a second are measured. With --flow also: whether the workers find what the flow imports, and
    whether it can be sent to them.

    \b
      turgo doctor
      turgo doctor dask -o address=tcp://10.0.0.7:8786
      turgo doctor hpc --flow census.py -p root=/data
      turgo doctor --json

    The exit code is 0 if nothing is wrong, 1 if something is. Without NAME and --flow it runs no code of the current
    folder.
    """
    if parameters and target is None:
        raise click.UsageError("-p is a parameter of a flow: --flow FILE says of which")
    width = terminal_width()
    try:
        with interruptible(), output_to_error():
            if target is None:
                _leave_out_current_folder()
            findings = list(_findings(name, target, options, parameters))
    except KeyboardInterrupt:
        show_error("interrupted", label="")
        return INTERRUPTED
    show_json(record(findings)) if as_json else show(text(findings, width))
    return FAILED if any(each.mark == WRONG for each in findings) else SUCCESS


def _leave_out_current_folder() -> None:
    """Find no module in the current folder, where `python -m turgo` would."""
    here = {"", ".", str(Path.cwd())}
    sys.path[:] = [folder for folder in sys.path if folder not in here]


def _findings(
    name: str | None, target: str | None, options: dict[str, str], parameters: dict[str, str]
) -> Iterator[Finding]:
    from turgo.cli.doctor.installation import installation
    from turgo.cli.doctor.settings import settings
    from turgo.config.load import load_config
    from turgo.registry.resolve import Registry

    try:
        config = load_config() if target is None else config_for(target)
    except ConfigError as error:
        yield Finding("config", str(error), WRONG, "turgo config --help says what may stand there")
        return
    registry = Registry(config)
    yield from installation(registry)
    yield from settings(config)
    graph, default = None, None
    if target is not None:
        try:
            graph, default = _recorded(target, parameters, config)
        except UsageError:
            raise
        except Exception as error:  # noqa: BLE001  (the flow's own code, which may raise anything)
            said = f"it fails before its first task runs: {reason_of(error)}"
            yield Finding("flow", said, WRONG, f"turgo run {target} shows where")
            return
    unasked = None if name is not None or target is not None else _code_of_a_file(registry)
    if unasked is not None:
        yield unasked
        return
    try:
        chosen = _chosen(name, options, default, registry)
    except ExecutorNotInstalledError as error:
        yield Finding("executor", str(error), WRONG, error.install)
    except TurgoError as error:
        if isinstance(error, UnknownExecutorError) and name is not None:
            raise
        yield _no_executor(error, name or registry.config.executor.value)
    else:
        yield from _of_executor(chosen, graph)


def _recorded(target: str, parameters: dict[str, str], config: Config) -> tuple[Graph, object]:
    """The graph of a flow, and the executor that it names. Raises a UsageError, and what the flow's own code raises."""
    from turgo.cli.parameters import read_parameters
    from turgo.flows.files.flow_file import load_flow

    flow = load_flow(target)
    return flow.recorded((), read_parameters(flow, parameters), config.max_map_width.value), flow.executor


def _code_of_a_file(registry: Registry) -> Finding | None:
    """What is said in the place of an executor that the configuration names by a file: nobody asked to run that."""
    setting = registry.config.executor
    file = registry.file_of(setting.value, origin=setting.origin)
    if file is None:
        return None
    text = f"{setting.value} ({setting.origin}) is code in a file, which is not run unasked"
    return Finding("executor", text, NOTE, f"turgo doctor {setting.value}")


def _chosen(name: str | None, options: dict[str, str], default: object, registry: Registry) -> Chosen:
    from turgo.registry.precedence import choose_executor

    return choose_executor(
        argument=name,
        option_options=options,
        where="of turgo doctor",
        flow_default=default,  # type: ignore[arg-type]  # of a flow, which has checked it
        registry=registry,
    )


def _no_executor(error: TurgoError, name: object) -> Finding:
    """What is said in the place of an executor that cannot be had. name: what it is asked for by."""
    mend = (
        f"turgo executors show {name} says what can be set"
        if isinstance(error, OptionError)
        else "turgo executors list says which there are"
    )
    return Finding("executor", str(error), WRONG, mend)


def _of_executor(chosen: Chosen, graph: Graph | None) -> Iterator[Finding]:
    """What is found on an executor, and on a flow for it."""
    from turgo.cli.doctor.flow import imports_of, offered, sendable
    from turgo.cli.doctor.speed import speed
    from turgo.cli.doctor.workers import workers

    executor = chosen.executor
    yield Finding(
        "executor",
        f"{chosen.name} ({chosen.origin}): {', '.join(sorted(executor.capabilities)) or 'one call after the other'}",
    )
    if graph is not None:
        yield from sendable(graph)
    try:
        with _started(executor):
            if graph is not None:
                yield from offered(graph, executor)
            yield from workers(executor, imports_of(graph) if graph else ())
            yield from speed(executor)
    except Exception as error:  # noqa: BLE001  (foreign code, which may do anything)
        said = str(error) if isinstance(error, TurgoError) else reason_of(error)
        yield Finding(
            "workers", said, WRONG, f"turgo executors show {chosen.name} says what is set, and where"
        )


@contextmanager
def _started(executor: Executor) -> Iterator[None]:
    if executor.started:
        yield
        return
    with executor.start():
        yield
