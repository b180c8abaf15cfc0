"""The configuration of a command that names a flow file. If the flow lies elsewhere, it says whose settings hold."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from turgo.cli.terminal.output import show_warning
from turgo.errors import ConfigError

if TYPE_CHECKING:
    from turgo.config.load import Config


def config_for(target: str) -> Config:
    """What holds in the current folder. A project's file that lies with the flow, and is not read, is told of."""
    from turgo.config.load import load_config
    from turgo.config.places import current_folder, project_file, shown

    config = load_config()
    folder = _folder_of(target)
    if folder is None or "TURGO_CONFIG" in os.environ:
        return config
    own = None
    with suppress(ConfigError):  # a pyproject.toml there that is none
        own = project_file(folder, os.environ)
    here = current_folder()
    if own is not None and own.resolve() not in [each.resolve() for each in config.files]:
        held = project_file(here, os.environ)
        file = "no project's file" if held is None else shown(held, here)
        show_warning(
            f"settings are those of the current folder ({file}); {own}, which lies with the flow, is not read: "
            f"TURGO_CONFIG={own} takes it"
        )
    return config


def _folder_of(target: str) -> Path | None:
    """The folder of the file that `FILE` or `FILE:FLOW` names, with links followed; None if there is none."""
    with suppress(OSError, ValueError, RuntimeError):  # no name of a file; links in a circle
        for name in (target, target.rpartition(":")[0]):
            if name and Path(name).is_file():
                return Path(name).resolve().parent
    return None
