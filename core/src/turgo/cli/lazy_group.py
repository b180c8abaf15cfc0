"""A group of commands that imports the module of a command when it is used, or when help lists them all."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that knows where its commands are.

    places: of each command `module:attribute`, in the order of the help.
    """

    def __init__(self, *args: Any, places: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the help."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, if there is one of that name."""
        if cmd_name not in self.places:
            return None
        module, _, attribute = self.places[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a wrong one is an error that names the nearest."""
        name = args[0]
        if name not in self.places and not name.startswith("-"):
            from turgo.names import did_you_mean, nearest

            there = ", ".join(self.places)
            hint = did_you_mean(nearest(name, self.places))
            ctx.fail(f"there is no command {name!r}; there are {there}{hint}")
        return super().resolve_command(ctx, args)
