"""The place where progress is shown: a terminal, a notebook, or nowhere. One display draws on it at a time."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

TERMINAL, NOTEBOOK, NOWHERE = "terminal", "notebook", ""
"""What standard error may be to somebody who looks."""

SHOW_CURSOR = "\x1b[?25h"
"""What a terminal shows its cursor at; displays hide it."""

_taken = threading.Lock()


def kind() -> str:
    """Where somebody looks: a notebook's cell, the terminal of standard error, or NOWHERE."""
    if shell_of_notebook() is not None:
        return NOTEBOOK
    stream = sys.stderr
    try:
        looked_at = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # it is closed
        return NOWHERE
    return TERMINAL if looked_at else NOWHERE


def shell_of_notebook() -> Any:
    """The shell of the notebook that this runs in; None if it runs in none."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell if getattr(shell, "kernel", None) is not None else None


def is_logged_to(stream: Any, name: str, level: int) -> bool:
    """Whether what a logger logs at that level stands on the stream already, by one of its handlers."""
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(level):
        return False
    handlers = list(_handlers_of(logger))
    if not handlers and logging.lastResort is not None:
        handlers = [logging.lastResort]
    return any(level >= each.level and _is_same(stream, _stream_of(each)) for each in handlers)


def _handlers_of(logger: logging.Logger) -> Iterator[logging.Handler]:
    """Of a logger and those above it; in the place of one that has a queue, those at its other end."""
    above: logging.Logger | None = logger
    while above is not None:
        for each in above.handlers:
            yield from getattr(getattr(each, "listener", None), "handlers", (each,))
        above = above.parent if above.propagate else None


def _stream_of(handler: logging.Handler) -> Any:
    """Where it writes, as far as it says; rich's has a console."""
    return getattr(handler, "stream", None) or getattr(getattr(handler, "console", None), "file", None)


def _is_same(one: Any, other: Any) -> bool:
    """Whether two streams are one, or lead to one terminal, pipe or file."""
    if one is other:
        return True
    try:
        return os.path.sameopenfile(one.fileno(), other.fileno())
    except (AttributeError, OSError, ValueError):  # in memory, or closed
        return False


def take() -> bool:
    """Begin to draw, unless another display of this process does; whether one may."""
    return not _drawn_on() and _taken.acquire(blocking=False)


def give_back() -> None:
    """The display that took the terminal is gone."""
    _taken.release()


def leave(seconds: float) -> None:
    """End the display on standard error, which is the terminal again afterwards, with its cursor.

    For one who leaves at once, perhaps in the midst of a drawing, which holds its locks: after `seconds` the display
    stays where it is, and what is written next begins a line.
    """
    above = sys.stderr
    terminal = getattr(above, "rich_proxied_file", above)
    end = getattr(above, "end", None)  # of ours
    if end is not None:
        ends = threading.Thread(target=end, daemon=True)
        ends.start()
        ends.join(seconds)
    sys.stdout = getattr(sys.stdout, "rich_proxied_file", sys.stdout)
    stays = sys.stderr is not terminal
    sys.stderr = terminal
    if terminal is not None and terminal.isatty():
        terminal.write(SHOW_CURSOR + ("\n" if stays else ""))
        terminal.flush()


def _drawn_on() -> bool:
    """Whether a display of rich, or a bar of tqdm, that is not ours draws on the terminal."""
    drawn = any(hasattr(stream, "rich_proxied_file") for stream in (sys.stdout, sys.stderr))
    tqdm: Any = sys.modules.get("tqdm.std")
    bars = getattr(getattr(tqdm, "tqdm", None), "_instances", ())
    return drawn or any(not getattr(bar, "disable", False) for bar in list(bars))
