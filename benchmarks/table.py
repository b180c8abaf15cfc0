"""How rows are shown: a table by rich on a terminal, aligned columns in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from benchmarks.rows import Row

HEAD = ("", "what", "turgo", "beside it", "which is", "measure", "budget", "")
RIGHT = frozenset({2, 3, 5, 6})
"""The columns that are aligned on the right."""


def show(title: str, rows: Sequence[Row]) -> None:
    """Print the rows under the title, and below them a line on the budgets."""
    lines = list(cells(rows))
    if sys.stdout.isatty():
        _show_rich(title, lines)
    else:
        _show_plain(title, lines)
    print(summary(rows))


def cells(rows: Iterable[Row]) -> Iterable[tuple[str, ...]]:
    """What stands in each row of the table, below HEAD."""
    before = ""
    for row in rows:
        budget = "" if row.budget is None else f"{row.budget.sense} {number(row.budget.limit)} {row.unit}"
        yield (
            "" if row.subject == before else row.subject,
            row.what,
            duration(row.ours_us),
            duration(row.theirs_us),
            row.theirs_name or "",
            f"{number(row.ratio)} {row.unit}",
            budget,
            row.verdict,
        )
        before = row.subject


def duration(microseconds: float | None) -> str:
    """In the unit that suits it."""
    if microseconds is None:
        return ""
    for limit, divisor, unit in ((1e3, 1, "µs"), (1e6, 1e3, "ms")):
        if microseconds < limit:
            return f"{number(microseconds / divisor)} {unit}"
    return f"{number(microseconds / 1e6)} s"


def number(value: float) -> str:
    """With three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def summary(rows: Iterable[Row]) -> str:
    """How many budgets hold, and which do not."""
    promised = [row for row in rows if row.holds is not None and not row.later]
    broken = [_named(row) for row in promised if not row.holds]
    return "\n  ".join([f"{len(promised) - len(broken)} of {len(promised)} budgets hold", *broken])


def _named(row: Row) -> str:
    return f"{row.subject}: {row.what}" + (f", beside {row.theirs_name}" if row.theirs_name else "")


def _show_plain(title: str, lines: Sequence[tuple[str, ...]]) -> None:
    print(title)
    widths = [max(len(line[at]) for line in (HEAD, *lines)) for at in range(len(HEAD))]
    for line in (HEAD, *lines):
        cells = [
            cell.rjust(width) if at in RIGHT else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _show_rich(title: str, lines: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console  # late: no measuring process should have it loaded
    from rich.table import Table

    table = Table(title=title, title_justify="left", pad_edge=False)
    for at, name in enumerate(HEAD):
        table.add_column(name, justify="right" if at in RIGHT else "left", no_wrap=at in RIGHT)
    styles = {"holds": "green", "BROKEN": "bold red", "not yet": "yellow"}
    for line in lines:
        style = styles.get(line[-1])
        table.add_row(*line[:-1], f"[{style}]{line[-1]}[/]" if style else line[-1])
    Console().print(table)
