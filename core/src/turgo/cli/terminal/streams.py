"""Replaces standard streams that were closed before a command began. What is written to them is discarded.

`turgo run … >&-`, a daemon and some schedulers start a process without them. Python then has None in their place, and
the next file or socket that is opened gets their number, so that whatever prints to it would write into that.
"""

from __future__ import annotations

import os
import sys

_MODES = {"stdin": "r", "stdout": "w", "stderr": "w"}


def open_missing_streams() -> None:
    """Put the null device in the place of each stream that is closed."""
    for number, (name, mode) in enumerate(_MODES.items()):
        _open_missing(number)
        stream = getattr(sys, name)
        if stream is None or stream.closed:
            setattr(sys, name, open(number, mode, encoding="utf-8", errors="replace", closefd=False))  # noqa: SIM115


def _open_missing(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
