"""Completes names of executors, their options and a flow's parameters in shells.

    eval "$(_TURGO_COMPLETE=bash_source turgo)"      also zsh_source, fish_source

A completion says nothing of mistakes: where something fails there is nothing to complete.
"""

from __future__ import annotations

import enum
import typing
from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def executor_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Profiles and installed executors; a file or a class path is completed as a file."""
    if set(incomplete) & set("./~"):
        return [CompletionItem(incomplete, type="file")]
    from turgo.registry.resolve import Registry

    try:
        registry = Registry()
        profiles = {name: f"a profile of {profile.use}" for name, profile in registry.config.profiles.items()}
        found = dict.fromkeys(registry.names(), "") | profiles
    except Exception:  # noqa: BLE001  (a completion is silent)
        return []
    return [
        CompletionItem(name, help=text) for name, text in sorted(found.items()) if name.startswith(incomplete)
    ]


def executor_options(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`name=` of each option of the executor that the line names, then the values that it can have."""
    from turgo.registry.options import option_specs
    from turgo.registry.resolve import Registry

    try:
        registry = Registry()
        asked = ctx.params.get("executor") or _first_argument(ctx, "name") or registry.config.executor.value
        specs = [spec for spec in option_specs(registry.resolve(asked).cls) if spec.kind == "option"]
    except Exception:  # noqa: BLE001  (a completion is silent)
        return []
    return _pairs({spec.name: (spec.annotation, spec.meaning) for spec in specs}, incomplete)


def flow_parameters(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """`name=` of each parameter of the flow that the line names, then the values that it can have."""
    from turgo.flows.files.flow_file import load_flow
    from turgo.registry.options import annotation_of

    try:
        flow = load_flow(str(_first_argument(ctx, "target")))
        known = {name: (annotation_of(each, flow.fn), "") for name, each in flow.signature.parameters.items()}
    except Exception:  # noqa: BLE001  (a completion is silent)
        return []
    return _pairs(known, incomplete)


def run_ids(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The runs whose journals are kept, the last one first."""
    from turgo.config.load import load_config
    from turgo.journal.folder import root_in
    from turgo.journal.runs import all_runs

    try:
        found = all_runs(root_in(load_config()))
    except Exception:  # noqa: BLE001  (a completion is silent)
        return []
    return [CompletionItem(run.id, help=run.state) for run in found if run.id.startswith(incomplete)]


def flow_files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The files of the folder."""
    return [CompletionItem(incomplete, type="file")]


def _first_argument(ctx: click.Context, name: str) -> str | None:
    """The argument before options; click has not read it yet if the line ends in an option without its value."""
    if "executor" in ctx.params and name == "name":  # of `run`, whose first argument is a file
        return None
    found = ctx.params.get(name)
    return found if isinstance(found, str) else next(iter(ctx.args), None)


def _pairs(known: dict[str, tuple[object, str]], incomplete: str) -> list[CompletionItem]:
    name, equals, value = incomplete.partition("=")
    if not equals:
        return [
            CompletionItem(f"{each}=", help=meaning)
            for each, (_, meaning) in known.items()
            if each.startswith(incomplete)
        ]
    choices = _choices(known[name][0]) if name in known else ()
    return [CompletionItem(f"{name}={choice}") for choice in choices if choice.startswith(value)]


def _choices(annotation: object) -> Iterable[str]:
    """The texts that a value of that type can be, if they can be counted."""
    from turgo.config.convert import members_of

    for member in members_of(annotation):
        if member is bool:
            yield from ("true", "false")
        elif typing.get_origin(member) is typing.Literal:
            yield from map(str, typing.get_args(member))
        elif isinstance(member, type) and issubclass(member, enum.Enum):
            yield from member.__members__
