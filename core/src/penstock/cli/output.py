"""What every command prints with. Who reads a pipe may stop reading: that is no error, nothing is said."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, TextIO

import click

from penstock.errors import PenstockError


def show(text: str) -> None:
    """Print to standard output, where what was asked for goes. Raises PenstockError if the disk is full."""
    try:
        click.echo(text)
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise PenstockError(f"cannot write to standard output: {error}") from error


def terminal_width() -> int | None:
    """How many characters a line of standard output may have, as COLUMNS or the terminal says; None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def show_json(value: Any) -> None:
    """Print as JSON, for machines. What JSON has no form for (a date of TOML, a class) goes as text."""
    import json  # costs more than the plain listing

    show(json.dumps(value, indent=2, default=str))


def show_error(text: str, *, label: str = "Error: ") -> None:
    """Print to standard error, where everything else goes."""
    try:
        click.echo(f"{click.style(label, fg='red', bold=True)}{text}", err=True)
    except BrokenPipeError:
        _silence(sys.stderr)


def show_warning(text: str) -> None:
    """The same for what does not stop the command."""
    try:
        click.echo(f"{click.style('Warning: ', fg='yellow', bold=True)}{text}", err=True)
    except BrokenPipeError:
        _silence(sys.stderr)


def finish() -> None:
    """Write out what is still buffered. Python would do it at its end and complain about a broken pipe."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue  # it was closed before Python began
        try:
            stream.flush()
        except BrokenPipeError:
            _silence(stream)


def _silence(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
