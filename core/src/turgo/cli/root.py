"""The group of all commands, and where each is."""

from __future__ import annotations

import os
from typing import Any

import click

from turgo._version import __version__
from turgo.cli.lazy_group import LazyGroup

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


@click.group(cls=LazyGroup, places=COMMANDS, context_settings=SETTINGS)
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
