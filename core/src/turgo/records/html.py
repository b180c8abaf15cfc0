"""HTML for notebooks: small tables that need no style sheet and fit light and dark pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

BAR_WIDTH = 160
"""Pixels of a bar."""

FINE, BAD = "#2e9e5b", "#d64545"


class Markup(str):
    """A text that is HTML already. All other text is escaped."""

    __slots__ = ()


def table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[int] = ()
) -> Markup:
    """A table below its title; the columns in `right` end together."""
    sides = ["right" if at in right else "left" for at in range(len(header))]
    lines = [_row("th", header, sides), *(_row("td", row, sides) for row in rows)]
    body = "".join(lines) if rows else ""
    return Markup(f'<div>{paragraph(title)}<table style="border-collapse:collapse">{body}</table></div>')


def paragraph(text: str) -> Markup:
    """One line of text."""
    return Markup(f'<div style="margin:2px 0">{_cell(text)}</div>')


def preformatted(text: str) -> Markup:
    """Text of several lines, as it is."""
    return Markup(f'<pre style="margin:2px 0;white-space:pre-wrap">{_cell(text)}</pre>')


def bold(text: str) -> Markup:
    """Text that stands out."""
    return Markup(f"<b>{_cell(text)}</b>")


def bar(fine: int, bad: int, total: int) -> Markup:
    """How much of a total is done, and how much of that went wrong."""
    parts = "".join(
        f'<div style="width:{100 * count / max(total, 1):.1f}%;background:{colour}"></div>'
        for count, colour in ((fine, FINE), (bad, BAD))
    )
    style = f"display:flex;width:{BAR_WIDTH}px;height:0.8em;background:rgba(128,128,128,0.25)"
    return Markup(f'<div style="{style}">{parts}</div>')


def _row(tag: str, cells: Sequence[str], sides: Sequence[str]) -> str:
    shown = zip(cells, sides, strict=True)
    inner = "".join(
        f'<{tag} style="text-align:{side};padding:1px 8px">{_cell(cell)}</{tag}>' for cell, side in shown
    )
    return f"<tr>{inner}</tr>"


def _cell(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)
