"""Plain text in aligned columns. Rich does it better, but costs more than all the rest of a short command.

A table that is wider than what it is shown on has its cells broken into lines, all but those of the first column; where
that would leave too little of them, each row stands alone, a line for each of its cells:

    dask
        from: penstock-dask 0.1.0
        what it is: a Dask cluster
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence

GAP = 2
NARROW = 24
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
    widths = _widths(table, width, breakable)
    if widths is None:
        assert width is not None  # or any widths would do
        return [[header[0]], *(_below_each_other(header, row, width, indent) for row in rows)]
    cells = [[_lines(text, most) for text, most in zip(row, widths, strict=True)] for row in table]
    widths = [max(len(line) for row in cells for line in row[at]) for at in range(len(header))]
    return [_side_by_side(row, widths, right) for row in cells]


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


def _widths(
    table: Sequence[Sequence[str]], width: int | None, breakable: Collection[int]
) -> list[int] | None:
    """How wide columns may be, the broadest ones made narrower to fit; None if they cannot be."""
    count = len(table[0])
    wanted = [max(len(row[at]) for row in table) for at in range(count)]
    whole = [
        0 if at in breakable else max(len(word) for row in table for word in row[at].split() or [""])
        for at in range(count)
    ]
    whole[0] = wanted[0]
    for most in range(max(*wanted, NARROW), NARROW - 1, -1):
        tried = [min(own, max(most, least)) for own, least in zip(wanted, whole, strict=True)]
        if width is None or sum(tried) + GAP * (count - 1) <= width:
            return tried
    return None


def _lines(text: str, width: int) -> list[str]:
    return [text] if len(text) <= width else textwrap.wrap(text, width, break_on_hyphens=False)


def _side_by_side(cells: Sequence[list[str]], widths: Sequence[int], right: Collection[int]) -> list[str]:
    lines = []
    for number in range(max(map(len, cells))):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        padded = [
            part.rjust(width) if at in right else part.ljust(width)
            for at, (part, width) in enumerate(zip(parts, widths, strict=True))
        ]
        lines.append((" " * GAP).join(padded).rstrip())
    return lines


def _below_each_other(header: Sequence[str], row: Sequence[str], width: int, indent: int) -> list[str]:
    lines = [row[0]]
    for label, text in zip(header[1:], row[1:], strict=True):
        if text:
            lines += wrapped(text, width, first=f"{' ' * indent}{label}: ", indent=indent + 2)
    return lines
