"""The group of commands. A command's module is imported when it is used, or when help lists them all."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import click

from turgo._version import __version__

COMMANDS = {
    "run": "turgo.cli.run:run",
    "graph": "turgo.cli.graph:graph",
    "executors": "turgo.cli.executors.commands:executors",
    "compare": "turgo.cli.compare.command:compare",
    "runs": "turgo.cli.runs:runs",
    "replay": "turgo.cli.replay:replay",
    "doctor": "turgo.cli.doctor.command:doctor",
    "config": "turgo.cli.config:config",
    "cache": "turgo.cli.cache:cache",
}
"""Where each command is, in the order of the help."""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(click.Group):
    """A group that knows where its commands are."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, if there is one of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a wrong one is an error that names the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from turgo.names import did_you_mean, nearest

            there = ", ".join(COMMANDS)
            ctx.fail(
                f"there is no command {name!r}; there are {there}{did_you_mean(nearest(name, COMMANDS))}"
            )
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings=SETTINGS)
@click.version_option(__version__, "--version", message="turgo %(version)s")
@click.pass_context
def turgo(context: click.Context) -> None:
    """Run flows of Python functions on the executor that you name.

    A flow file holds functions decorated with @task and one decorated with @flow that calls them. Where they
    run is one word on the command line:

    \b
      turgo run census.py                            here, one call after the other
      turgo run census.py --executor local_dask      on all cores of this machine
      turgo run census.py -e dask -o address=tcp://10.0.0.7:8786
      turgo run census.py -p limit=10                with parameters of the flow
      turgo run census.py --fail-fast                until the first task fails
      turgo run census.py --resume                   what the last run did not finish

    \b
      turgo graph census.py                          what it would run, as a tree or a picture
      turgo executors list                           which executors there are
      turgo executors show dask                      what can be set, and what is set where
      turgo executors new turbine                    a plugin of your own to start from
      turgo compare census.py --on local,dask        which is quicker, by how much, and why
      turgo replay RUN TASK                          a call that failed, once more and here
      turgo runs list                                what became of earlier runs
      turgo doctor                                   what is wrong here, and the line that mends it
      turgo config                                   what the files and variables say
      turgo cache                                    what tasks have kept for later runs

    \b
    Exit codes: 0 success, 1 the flow failed, 2 bad usage or configuration, 130 interrupted.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        context.color = False  # else click looks only at whether it is a terminal
