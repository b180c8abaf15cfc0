"""Looks at the configuration: which files and variables there are, whose the files are, what they lead to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from turgo.cli.doctor.findings import NOTE, Finding
from turgo.config.load import Config
from turgo.config.ownership import TRUST_HINT, doubt


def settings(config: Config) -> Iterator[Finding]:
    """All findings on a configuration that could be read."""
    for file in config.files:
        yield from _file(file)
    if not config.files:
        yield Finding("config", "no file: `turgo config --help` says what one may hold")
    variables = sorted(name for name in os.environ if name.startswith("TURGO_"))
    if variables:
        yield Finding("config", f"variables: {', '.join(variables)}")


def _file(file: Path) -> Iterator[Finding]:
    try:
        why, owner = doubt(file), _owner(file)
    except OSError as error:
        yield Finding("config", f"{file}: whose it is cannot be seen: {error.strerror}", NOTE)
        return
    if why:
        text = f"{file}, of {owner}, names no code here: {why}"
        yield Finding("config", text, NOTE, f"chmod go-w it and its folder, or: {TRUST_HINT}")
    else:
        yield Finding("config", f"{file}, of {owner}")


def _owner(file: Path) -> str:
    """The name of who owns a file, or the number if the system knows no name."""
    try:
        return file.owner()
    except KeyError:
        return f"user {file.stat().st_uid}"
