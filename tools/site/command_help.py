"""The help of the commands as Sphinx reads it: examples, which click keeps as they are after a `\\b`, become code."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

BAR = "| "
"""What sphinx-click puts before each line of what click keeps as it is."""


def with_code(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a help, with what is kept and indented as a block of code, and what is only kept as a paragraph."""
    for indented, group in groupby(lines, lambda line: line.startswith(BAR + " ")):
        if indented:
            yield from ("", ".. code-block:: text", "")
            yield from (f"    {line.removeprefix(BAR).removeprefix('  ')}" for line in group)
            yield ""
        else:
            yield from (line.removeprefix(BAR) for line in group)


def on_description(app: Any, context: Any, lines: list[str]) -> None:
    """sphinx-click hands over the lines of a help and takes what is left in the list."""
    lines[:] = with_code(lines)
