"""The table of a campaign: faults by kinds of executors, and what was found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from faults.injected.catalogue import FAULTS
from faults.judge import COLUMNS
from faults.kinds import KINDS

BEGIN, END = "<!-- the table of make faults -->", "<!-- end of the table -->"


def totals(results: Iterable[dict[str, Any]]) -> str:
    """A row for each kind of executor: how many runs, and how many of them were found wanting, by column."""
    runs: Counter[str] = Counter()
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for each in results:
        runs[each["kind"]] += 1
        found[each["kind"]].update(each["complaints"].keys())
    head = ["executor", "runs", *COLUMNS]
    rows = [head, ["---"] * len(head)]
    for kind in KINDS:
        rows.append([kind, str(runs[kind]), *(str(found[kind][column]) for column in COLUMNS)])
    whole = sum(found.values(), Counter())
    rows.append(["all", str(runs.total()), *(str(whole[column]) for column in COLUMNS)])
    return _markdown(rows)


def by_fault(results: Iterable[dict[str, Any]]) -> str:
    """A row for each fault, a column for each kind: runs, and after a slash those that were found wanting."""
    runs: Counter[tuple[str, str]] = Counter()
    wanting: Counter[tuple[str, str]] = Counter()
    for each in results:
        for name in each["faults"]:
            runs[name, each["kind"]] += 1
            wanting[name, each["kind"]] += bool(each["complaints"])
    rows = [["fault", *KINDS], ["---"] * (1 + len(KINDS))]
    for name in FAULTS:
        cells = [
            ""
            if not runs[name, kind]
            else f"{runs[name, kind]}" + f" / **{wanting[name, kind]}**" * bool(wanting[name, kind])
            for kind in KINDS
        ]
        rows.append([name, *cells])
    return _markdown(rows)


def page(text: str, results: list[dict[str, Any]]) -> str:
    """The page with the tables in their place."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{totals(results)}\n\n{by_fault(results)}\n\n{END}{after}"


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
