"""What every command prints with. Who reads a pipe may stop reading: that is no error, nothing is said."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import click

from turgo.errors import TurgoError

_STDOUT, _STDERR = 1, 2


def show(text: str) -> None:
    """Print to standard output, where what was asked for goes. Raises TurgoError if the disk is full."""
    try:
        click.echo(text)
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise TurgoError(f"cannot write to standard output: {error}") from error


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


@contextmanager
def output_to_error() -> Iterator[None]:
    """Inside, what is written to standard output goes to standard error: by Python, in C, and in processes begun here.

    So standard output of a command has what the command shows, and nothing that the user's code prints.
    """
    stdout = sys.stdout
    if stdout is None or sys.stderr is None:  # one of them was closed before Python began
        yield
        return
    stdout.flush()
    kept = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    with _same_stream(stdout):
        try:
            yield
        finally:
            os.dup2(kept, _STDOUT)
            os.close(kept)


@contextmanager
def _same_stream(stdout: TextIO) -> Iterator[None]:
    """Inside, `sys.stdout` writes to its descriptor line by line; it is standard error if it has another descriptor."""
    own = _descriptor(stdout) == _STDOUT
    buffered = own and not getattr(stdout, "line_buffering", True)
    if not own:
        sys.stdout = sys.stderr
    elif buffered:
        stdout.reconfigure(line_buffering=True)  # type: ignore[attr-defined]  # TextIO does not name it
    try:
        yield
    finally:
        sys.stdout = stdout
        if own:
            with suppress(BrokenPipeError):
                stdout.flush()  # before the descriptor is put back
        if buffered:
            stdout.reconfigure(line_buffering=False)  # type: ignore[attr-defined]


def _descriptor(stream: TextIO) -> int:
    """Of a stream; -1 for one in memory."""
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return -1


def finish() -> None:
    """Write out what is still buffered. Python would do it at its end and complain about a broken pipe."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue  # it was closed before Python began
        try:
            stream.flush()
        except BrokenPipeError:
            _silence(stream)


def output_failed(error: OSError) -> None:
    """Say that standard output cannot be written, and write nothing more there."""
    _silence(sys.stdout)
    show_error(f"cannot write to standard output: {error}")


def _silence(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
