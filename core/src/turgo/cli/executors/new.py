"""`turgo executors new`: write a plugin project that works as it stands."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click


@click.command("new")
@click.argument("name")
@click.option(
    "--dir",
    "-d",
    "folder",
    metavar="D",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="Write it into a folder below D, instead of the current one.",
)
def new_executor(name: str, folder: Path) -> None:
    """Write a complete plugin project for an executor called NAME.

    It holds a working executor to change, the tests that prove it, and what pip, type checkers and CI need. It
    installs and passes as it is. The class is in executor.py, the one file that you write:

    \b
      turgo executors new turbine                  turgo-turbine/
      turgo executors new my-grid --dir plugins    plugins/turgo-my-grid/, executor my_grid
    """
    from turgo.cli.executors.project import PluginProject
    from turgo.cli.terminal.output import show

    project = PluginProject.of(name)
    where = project.write(folder)
    path = str(where) if where.is_absolute() else os.path.join(os.curdir, where)
    source = where / "src" / project.package / "executor.py"
    show(f"{where} is written, and works as it is. The file to change is\n{source}. Next:\n")
    show(f"  pip install -e {shlex.quote(f'{path}[testing]')}")
    show(f"  pytest {shlex.quote(path)}")
    show(f"  turgo run FILE.py --executor {project.name}")
