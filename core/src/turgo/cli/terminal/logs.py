"""`--log-level`: how much of what a flow logs is said on standard error."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import click

LEVELS = ("debug", "info", "warning", "error", "critical")
"""What `--log-level` may be, in any case of letters."""

FORMAT = "%(levelname)s %(name)s: %(message)s"


class LinesHandler(logging.Handler):
    """Says each record on standard error, above a progress that is shown there."""

    @property
    def stream(self) -> TextIO:
        """Where it writes; other handlers have an attribute of that name."""
        return sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; whoever reads a pipe may have gone."""
        try:
            click.echo(self.format(record), err=True)
        except BrokenPipeError:
            pass
        except Exception:  # noqa: BLE001  (a record whose arguments do not fit its text)
            self.handleError(record)


def say_from(level: str) -> None:
    """Have what is logged at this level or above said, by the handlers of the flow's own file if it has some."""
    root = logging.getLogger()
    root.setLevel(level.upper())
    if not root.handlers:
        handler = LinesHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
        root.addHandler(handler)
