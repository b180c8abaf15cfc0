"""`turgo replay RUN TASK`: a call that failed is made again, here, with the arguments that it had then."""

from __future__ import annotations

import importlib
import logging
import operator
import os
import pickle
import traceback
from contextlib import contextmanager
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any

import click

from turgo.cli import FAILED, SUCCESS
from turgo.cli.terminal.output import output_to_error, show, show_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from turgo.journal.facts import RunFacts


@click.command(short_help="Make a call that failed again, here.")
@click.argument("run", metavar="RUN")
@click.argument("task", metavar="TASK")
@click.option("--pdb", "debug", is_flag=True, help="Open the debugger where it fails.")
@click.option("--rerun-unsafe", is_flag=True, help="Also a call that is to be made once (idempotent=False).")
def replay(run: str, task: str, debug: bool, rerun_unsafe: bool) -> int:
    """Make a call that failed again in this process, whatever executor it failed on.

    It gets the arguments that it had then, the environment variables that its task declares (`env=`), and the function
    as the file has it now. Its log then and its log now are shown beside each other.

    \b
      turgo replay census-1f2e score[137]
      turgo replay census-1f2e score[137] --pdb
    """
    from turgo.config.load import load_config
    from turgo.journal.folder import root_in
    from turgo.journal.runs import failures_of, inputs_of, run_named

    found = run_named(root_in(load_config()), run)
    payload, variables = inputs_of(found.folder, task)
    set_variables(variables)
    then = next((each for each in failures_of(found.folder) if each.label == task), None)
    if then is not None:
        click.echo(f"then: {then.error}{_log(then.log)}", err=True)
    lines: list[str] = []
    with output_to_error():
        function, args, kwargs, call = _opened(found, payload, task, rerun_unsafe=rerun_unsafe)
        with _running_as(found, *call):
            value, error = _called(function, args, kwargs, lines)
    text = "\n".join(lines)
    if error is None:
        click.echo(f"now: it returned a value{_log(text)}", err=True)
        show(repr(value))
        return SUCCESS
    click.echo(f"now: {type(error).__name__}: {error}{_log(text)}", err=True)
    show_error(_traceback(error))
    if debug:
        import pdb  # noqa: T100  (it is what was asked for)

        pdb.post_mortem(error.__traceback__)
    return FAILED


def set_variables(variables: Mapping[str, str | None]) -> None:
    """Set environment variables of this process; None unsets one."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _opened(
    run: RunFacts, payload: bytes, task: str, *, rerun_unsafe: bool
) -> tuple[Callable[..., Any], list[Any], dict[str, Any], tuple[Any, ...]]:
    """Function, arguments, and which call it was, once the flow's file is loaded.

    Raises JournalError if they cannot be had any more, FlowFileError if the file runs a flow as it is loaded,
    UsageError for what is to be made once.
    """
    from turgo.errors import FlowFileError, JournalError, UsageError
    from turgo.flows.files.load_guard import without_runs
    from turgo.flows.task import Task
    from turgo.registry.source_files import load_flow_file

    file = Path(run.file)
    try:
        with without_runs(run.file):
            loaded = load_flow_file(file) if file.is_file() else None
        (module, name), function, args, kwargs, call = pickle.loads(payload)
        if function is None:
            own = loaded is not None and module in (loaded.__name__, "__main__")
            function = operator.attrgetter(name)(loaded if own else importlib.import_module(module))
    except FlowFileError:
        raise
    except Exception as error:
        raise JournalError(
            f"{task} cannot be replayed: its function or arguments cannot be had any more "
            f"({type(error).__name__}: {error})"
        ) from error
    if isinstance(function, Task):
        if not (function.policy.idempotent or rerun_unsafe):
            raise UsageError(f"{task} is to be made once (idempotent=False): --rerun-unsafe makes it again")
        function = function.fn
    return function, args, kwargs, call


@contextmanager
def _running_as(
    run: RunFacts, task: str, node: int, index: int | None, element: int | None
) -> Iterator[None]:
    """Inside, `turgo.current()` tells what it told then, but for the attempt: the first one of its kind.

    node, index, element: which call it is, as the graph counts.
    """
    from turgo.worker.arguments import CONSTANTS
    from turgo.worker.batch import Batch, BatchPiece, Step
    from turgo.worker.context import Position, running

    step = Step(node, CONSTANTS, (), {}, (), None, name=task, index=index)
    batch = Batch([BatchPiece(step, len, -1 if element is None else element, -1, None)], {})
    batch.run = (run.id, run.flow)
    here = Position(batch, 0, None if element is None else 0)
    token = running.set(lambda: here)
    try:
        yield
    finally:
        running.reset(token)


def _called(
    function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any], lines: list[str]
) -> tuple[Any, BaseException | None]:
    """What a call returns, or its error; what it logs is added to `lines`."""
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        value = function(*args, **kwargs)
        if hasattr(value, "__await__"):
            import asyncio  # late: few tasks are async

            value = asyncio.run(value)
        return value, None
    except Exception as error:  # noqa: BLE001  (the user's own, which is what is looked for)
        return None, error
    finally:
        logging.getLogger().removeHandler(handler)


def _log(text: str) -> str:
    return f"; its log:\n{indent(text, '  ')}" if text else ""


def _traceback(error: BaseException) -> str:
    from turgo.observers.tracebacks import trim

    return trim("".join(traceback.format_exception(error)))
