"""What `turgo run FILE --help` adds: what the flow of the file is for, and its parameters."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from turgo.cli.parameters import CommandWithPairs
from turgo.cli.terminal.output import output_to_error
from turgo.redaction import redacted_repr

if TYPE_CHECKING:
    from turgo.flows.flow import FlowDefinition

TARGET = "turgo.cli.flow_help.target"
"""Under which a context holds the file or module that the line names."""


class FlowCommand(CommandWithPairs):
    """A command whose argument `target` names a flow: its help tells of that flow as well."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What click does."""
        if set(args) & set(ctx.help_option_names):
            rest = [each for each in args if each not in ctx.help_option_names]
            with suppress(click.UsageError):
                target = self.make_parser(ctx).parse_args(rest)[0].get("target")
                ctx.meta[TARGET] = target if isinstance(target, str) else None
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what is said of the flow, if the line names one."""
        if ctx.meta.get(TARGET):
            write_flow(ctx.meta[TARGET], formatter)


def write_flow(target: str, formatter: click.HelpFormatter) -> None:
    """Write the name of a flow, the first paragraph of its docstring, and its parameters; or why there are none."""
    from turgo.errors import TurgoError
    from turgo.flows.files.flow_file import load_flow

    try:
        with output_to_error():
            flow = load_flow(target)
    except TurgoError as error:
        with formatter.section(f"The flow of {target}"):
            formatter.write_text(f"It cannot be told of: {' '.join(str(error).split())}")
        return
    text = inspect.cleandoc(flow.fn.__doc__ or "")
    rows = [_row(flow, parameter, text) for parameter in flow.signature.parameters.values()]
    with formatter.section(f"The flow {flow.name}"):
        if text:
            formatter.write_text(text.partition("\n\n")[0])
        if rows:
            formatter.write_dl(rows)
        else:
            formatter.write_text("It has no parameters.")


def _row(flow: FlowDefinition[..., Any], parameter: inspect.Parameter, text: str) -> tuple[str, str]:
    """A parameter as it is given, and what is known of it."""
    from turgo.config.convert import type_name
    from turgo.registry.options import annotation_of, documented

    parts = [meaning for _, meaning in documented(text, {parameter.name})]
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        parts.append("[any further ones]")
    elif parameter.default is parameter.empty:
        parts.append("[required]")
    else:
        parts.append(f"[default: {redacted_repr(parameter.default, parameter.name)}]")
    name = "NAME" if parameter.kind is parameter.VAR_KEYWORD else parameter.name
    return f"-p {name}={type_name(annotation_of(parameter, flow.fn))}", "  ".join(filter(None, parts))
