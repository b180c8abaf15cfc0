"""Writes what was measured into docs/performance.md, and draws its picture: `python -m benchmarks.page FILE`.

    make bench ARGS="--json docs/performance.json"    measures, and writes the file
    make performance                                  rewrites the page and docs/performance.svg from it

Only what stands between the two markers of the page is rewritten; the words around it are by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from benchmarks.table import HEAD, RIGHT, cells, number, summary

DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN = "<!-- What follows is written by `make performance`. -->"
END = "<!-- The end of it. -->"
NAMES = ("turgo", "by hand", "raw")
"""The lines of the picture, by the names that the figures have in the rows of `slots`."""


def rewritten(page: str, report: Mapping[str, Any]) -> str:
    """The page with what was measured between its markers. Raises ValueError if it has them not once each."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"the page needs one line {BEGIN!r}, and one line {END!r} below it")
    return f"{before}{BEGIN}\n\n{measured(report)}\n\n{END}{after}"


def measured(report: Mapping[str, Any]) -> str:
    """All that was measured, as Markdown."""
    rows = [Row.from_dict(each) for each in report["rows"]]
    hows = [f"Measured {_how(report)}"]
    for run in report.get("later", ()):
        subjects = ", ".join(run["subjects"])
        hows.append(f"Measured anew, of these: {subjects}, {_how(run)}")
    return "\n\n".join(
        [
            *hows,
            summary(rows).replace("\n  ", "\n- ").replace("\n- ", ":\n\n- ", 1),
            _table(HEAD, cells(rows), RIGHT),
            *_traces(rows),
        ]
    )


def _how(run: Mapping[str, Any]) -> str:
    args = " ".join(["--json docs/performance.json", *run["args"]])
    return (
        f'on {run["date"]} by `make bench ARGS="{args}"`, on {run["processor"]}: {run["machine"]}. '
        f"Load average before it: {run['load_before']:.1f}."
    )


def _table(head: Sequence[str], lines: Iterable[Sequence[str]], right: Iterable[int]) -> str:
    aligned = ["---:" if at in right else "---" for at in range(len(head))]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, aligned, *lines))


def _traces(rows: Iterable[Row]) -> Iterator[str]:
    """Seconds of each trace: of the rows of `makespan`, which name the worst alone."""
    lines = {}
    for row in rows:
        if row.subject == "makespan":
            where = row.what.partition(":")[0]
            for name, each in row.figures.items():
                seconds = [each[name] for name in ("bound", "list_schedule", "with_trips", "turgo", "dask")]
                lines[where, name] = (name, where, *(f"{number(value)} s" for value in seconds))
    if lines:
        head = ("trace", "on", "bound", "list schedule", "with trips", "turgo", "dask.get, client.get")
        yield "Each trace:\n\n" + _table(head, lines.values(), range(2, len(head)))


def efficiencies(report: Mapping[str, Any]) -> dict[str, list[tuple[int, float]]]:
    """The points of each line of the picture: slots, and the share of them that is kept busy."""
    found = sorted(
        (row["figures"]["slots"], row["figures"]["efficiency"])
        for row in report["rows"]
        if row["subject"] == "slots" and row["figures"]
    )
    return {name: [(slots, shares[name]) for slots, shares in found] for name in NAMES} if found else {}


def draw(lines: Mapping[str, Sequence[tuple[int, float]]], path: Path) -> None:
    """Draw them as an SVG, the same bytes for the same points."""
    import matplotlib  # late: of the group `bench`, while the tests read the rest of this module without it

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "turgo", "svg.fonttype": "none", "font.family": "sans-serif"})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 3.6), layout="constrained")
    looks = {"turgo": ("o-", "#0b6e99"), "by hand": ("s--", "#8a6d3b"), "raw": ("^:", "#9a9a9a")}
    names = {"by hand": "client.map of chunks, best size", "raw": "client.map of single tasks"}
    for name, points in lines.items():
        slots, shares = zip(*points, strict=True)
        marker, color = looks[name]
        axes.plot(slots, shares, marker, color=color, label=names.get(name, name))
    every = sorted({slots for points in lines.values() for slots, _ in points})
    axes.set_xscale("log")
    axes.set_xticks(every, [str(slots) for slots in every])
    axes.minorticks_off()
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("slots of the cluster")
    axes.set_ylabel("share of them that is busy")
    axes.set_title("Sleeps of 10 ms on one dask cluster", loc="left", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def main(args: Sequence[str]) -> int:
    """Rewrite page and picture from the file that is named. Returns the exit code."""
    if len(args) != 1:
        print("usage: python -m benchmarks.page FILE", file=sys.stderr)
        return 2
    report = json.loads(Path(args[0]).read_text(encoding="utf-8"))
    page = DOCS / "performance.md"
    page.write_text(rewritten(page.read_text(encoding="utf-8"), report), encoding="utf-8")
    lines = efficiencies(report)
    if lines:
        draw(lines, DOCS / "performance.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
