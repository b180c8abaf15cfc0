"""Parses `-o key=value` and `-p key=value`, and converts parameters by the types of a flow."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import click
from click.shell_completion import CompletionItem

from turgo.config.convert import convert_text, type_name
from turgo.errors import ParameterError
from turgo.names import did_you_mean, nearest
from turgo.registry.options import annotation_of

T = TypeVar("T")

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
"""What gives a shell the texts that an argument may be."""

RESERVED = {"executor": "--executor NAME", "executor_options": "-o key=value"}
"""Keywords of `flow.run()` that are no parameters of the flow, and what to write instead."""


class FlowLike(Protocol):
    """What is asked of a flow here."""

    name: str
    fn: Any
    signature: inspect.Signature


def _pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """A repeated option `key=value` as a mapping. The value may be empty and may hold further `=`."""
    found: dict[str, str] = {}
    for pair in given:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals or not key.isprintable() or not key:
            raise click.BadParameter(f"expected key=value, got {pair!r}", ctx, param)
        if key in found:
            raise click.BadParameter(f"{key!r} is given twice, as {found[key]!r} and as {text!r}", ctx, param)
        found[key] = text
    return found


def key_values(
    flag: str, name: str, help: str, completion: Completion | None = None
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """An option `-o key=value` that may be given often; the command gets a mapping under `name`.

    completion: gives a shell what a pair may be.
    """
    return click.option(
        flag, name, metavar="KEY=VALUE", multiple=True, callback=_pairs, help=help, shell_complete=completion
    )


FLOW_FILE = re.compile(r"[^-].*\.py(:\w+)?")


class CommandWithPairs(click.Command):
    """Says of an unknown option how parameters and options of the executor are given, which it may be meant as.

    An option that may stand without a value, such as `--resume`, does not take a file that follows for it.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What click does."""
        bare = {flag for each in self.params if getattr(each, "flag_value", None) == "" for flag in each.opts}
        args = [
            f"{each}=" if each in bare and FLOW_FILE.fullmatch(following) else each
            for each, following in zip(args, [*args, ""][1:], strict=True)
        ]
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            flag = error.option_name
            if not flag.startswith("--"):
                raise
            message = f"{error.message.rstrip('.')}; {_as_pairs(flag, given)}"
            raise click.NoSuchOption(flag, message, error.possibilities, ctx) from None


def _as_pairs(flag: str, args: list[str]) -> str:
    """How to write `--limit 10` or `--limit=10` as a parameter or an option."""
    key = flag.lstrip("-").replace("-", "_")
    value = "…"
    for each, following in zip(args, [*args[1:], "-"], strict=True):
        if each.startswith(f"{flag}="):
            value = each.removeprefix(f"{flag}=")
        elif each == flag and not following.startswith("-"):
            value = following
    pair = shlex.quote(f"{key}={value}") if value != "…" else f"{key}=…"
    return f"a parameter of the flow is given as -p {pair}, an option of the executor as -o {pair}."


def read_parameters(flow: FlowLike, texts: Mapping[str, str]) -> dict[str, Any]:
    """The values to call the flow with.

    Raises ParameterError for a parameter that is unknown, reserved, of the wrong type or missing.
    """
    accepted = {
        parameter.name: parameter
        for parameter in flow.signature.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    others = next((p for p in flow.signature.parameters.values() if p.kind is p.VAR_KEYWORD), None)
    values = {}
    for name, text in texts.items():
        parameter = accepted.get(name, others)
        if name in RESERVED and name not in accepted:
            message = f"{name!r} is no parameter of flow {flow.name!r}: write {RESERVED[name]}"
            raise ParameterError(message, parameter=name)
        if parameter is None:
            raise _unknown(flow, name, accepted)
        values[name] = _value(flow, name, text, annotation_of(parameter, flow.fn))
    _check_missing(flow, values)
    return values


def _value(flow: FlowLike, name: str, text: str, annotation: Any) -> Any:
    try:
        return convert_text(text, annotation)
    except ValueError as error:
        message = f"parameter {name!r} of flow {flow.name!r}: {error} (option -p {name})"
        raise ParameterError(message, parameter=name) from None


def _unknown(flow: FlowLike, name: str, accepted: Mapping[str, inspect.Parameter]) -> ParameterError:
    there = (
        f"it has {', '.join(_shown(flow, each) for each in accepted.values())}" if accepted else "it has none"
    )
    hint = did_you_mean(nearest(name, accepted))
    message = f"flow {flow.name!r} has no parameter {name!r} (option -p {name}); {there}{hint}"
    return ParameterError(message, parameter=name)


def _check_missing(flow: FlowLike, values: Mapping[str, Any]) -> None:
    missing = [
        parameter
        for parameter in flow.signature.parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        and parameter.name not in values
    ]
    if missing:
        listed = ", ".join(_shown(flow, parameter) for parameter in missing)
        example = " ".join(f"-p {parameter.name}=…" for parameter in missing)
        message = f"flow {flow.name!r} needs {listed}: give {example}"
        raise ParameterError(message, parameter=missing[0].name)


def _shown(flow: FlowLike, parameter: inspect.Parameter) -> str:
    return f"{parameter.name} ({type_name(annotation_of(parameter, flow.fn))})"
