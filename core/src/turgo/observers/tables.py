"""Tables of text: aligned columns in a pipe, rich on a terminal.

On a terminal, whose width is given, cells that do not fit are broken into lines, all but those of the first column;
where that would leave too little of them, each row stands alone, a line for each of its cells:

    dask
        from: turgo-dask 0.1.0
        what it is: a Dask cluster

In a pipe nothing is broken, as a program may read it; there, rich is not even imported.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

BETWEEN_COLUMNS_WIDTH = 2

UNBROKEN_WIDTH = 24
"""Characters: a cell is not broken into lines that are shorter."""


def aligned(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    width: int | None = None,
) -> str:
    """The rows below their header; the columns in `right` end together. width: in characters; None for any."""
    return "\n".join(line for block in blocks(header, rows, right=right, width=width) for line in block)


def blocks(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    width: int | None = None,
    indent: int = 4,
    breakable: Collection[int] = (),
) -> list[list[str]]:
    """The lines of the header, and those of each row.

    indent: how far cells are from the margin if rows stand alone. breakable: columns in which a word may be broken; all
    others stay whole, so that they can be copied.
    """
    table = [header, *rows]
    if width is None:
        return _padded(table, right)
    laid_out = _laid_out(table, right, width, breakable)
    return laid_out or [[header[0]], *(_below_each_other(header, row, width, indent) for row in rows)]


def wrapped(text: str, width: int | None, *, first: str = "", indent: int | None = None) -> list[str]:
    """The lines of a text after `first`, the others as far from the margin as it ends, or as `indent` says.

    A word that is longer than a line stays whole, so that it can be copied.
    """
    after = len(first) if indent is None else indent
    if width is None or len(first) + len(text) <= width:
        return [f"{first}{text}"]
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * after,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _padded(table: Sequence[Sequence[str]], right: Collection[int]) -> list[list[str]]:
    """One line for each row, its cells as wide as the widest of their column."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    gap = " " * BETWEEN_COLUMNS_WIDTH
    return [
        [
            gap.join(
                cell.rjust(width) if at in right else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
        ]
        for row in table
    ]


def _laid_out(
    table: Sequence[Sequence[str]], right: Collection[int], width: int, breakable: Collection[int]
) -> list[list[str]] | None:
    """The lines of each row as rich sets them; None if the columns would be too narrow."""
    from rich.console import Console  # a third of a short command's time, and a pipe needs none of it
    from rich.measure import Measurement

    console = Console(width=width, color_system=None, legacy_windows=False)
    unbounded = console.options.update(max_width=sys.maxsize)  # else what is too wide would count as fitting
    for most in (None, UNBROKEN_WIDTH):  # a word is broken only where the table does not fit otherwise
        grid = _grid(table, right, dict.fromkeys(breakable, most))
        if Measurement.get(console, unbounded, grid).minimum <= width:
            rows: list[list[str]] = [[] for _ in table]
            for number, line in _numbered_lines(console, grid):
                rows[number].append(line.rstrip())
            return rows
    return None


def _grid(table: Sequence[Sequence[str]], right: Collection[int], most: Mapping[int, int | None]) -> Table:
    """A table of rich whose cells know the number of their row. most: how wide columns may be, if that is bounded."""
    from rich.style import Style
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, BETWEEN_COLUMNS_WIDTH, 0, 0), pad_edge=False)
    for at, column in enumerate(zip(*table, strict=True)):
        widest = max(Text(cell).cell_len for cell in column)
        grid.add_column(
            justify="right" if at in right else "left",
            no_wrap=at == 0,
            overflow="fold",
            min_width=min(widest, UNBROKEN_WIDTH),
            max_width=most.get(at),
        )
    for number, row in enumerate(table):
        grid.add_row(*map(Text, row), style=Style(meta={"row": number}))
    return grid


def _numbered_lines(console: Console, grid: Table) -> Iterator[tuple[int, str]]:
    """Each line of the table, with the number of the row that it is of."""
    for line in console.render_lines(grid, pad=False):
        number = next(segment.style.meta["row"] for segment in line if segment.style and segment.style.meta)
        yield number, "".join(segment.text for segment in line)


def _below_each_other(header: Sequence[str], row: Sequence[str], width: int, indent: int) -> list[str]:
    lines = [row[0]]
    for label, text in zip(header[1:], row[1:], strict=True):
        if text:
            lines += wrapped(text, width, first=f"{' ' * indent}{label}: ", indent=indent + 2)
    return lines
