"""The outline of a flow or a run as a tree on standard output."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from turgo.cli.terminal.output import terminal_width

if TYPE_CHECKING:
    from turgo.outlines.outline import Outline


def tree_text(outline: Outline) -> str:
    """On a terminal branches that fit its width, with colours unless none are wanted; else plain lines."""
    width = terminal_width()
    if width is None:
        return str(outline)
    from turgo.outlines.tree import terminal_text  # late: rich is not loaded for a pipe

    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return terminal_text(outline, width, colour=not plain)
