"""`python -m benchmarks [--quick] [--only NAME …] [--json FILE]`: measure, and print one table of ratios."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path

from benchmarks.machine import heading, load, processor
from benchmarks.reports import renewed
from benchmarks.rows import Row
from benchmarks.table import show

SUBJECTS = (
    "imports",
    "memory",
    "local",
    "simulated",
    "journal",
    "local_dask",
    "dask",
    "ideal",
    "large",
    "slots",
    "submission",
    "makespan",
    "metg",
)
"""In this order: what is measured in this process before dask is imported is not disturbed by it."""


def main(args: Sequence[str] | None = None) -> int:
    """Run what was asked for. Returns 0, whether the budgets hold or not: a busy machine is no defect."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="fewer rounds and smaller graphs: below a minute"
    )
    parser.add_argument(
        "--only", nargs="+", choices=SUBJECTS, metavar="NAME", help=f"of {', '.join(SUBJECTS)}"
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the rows here as well; with --only, into what is there",
    )
    asked = parser.parse_args(args)
    began, load_before = time.perf_counter(), load()
    rows: list[Row] = []
    for subject in SUBJECTS:
        if not asked.only or subject in asked.only:
            rows += _measured(subject, asked.quick)
    title = f"{heading()}; {time.perf_counter() - began:.0f} s" + ("; quick" if asked.quick else "")
    show(title, rows)
    if asked.json:
        report = {
            "machine": heading(),
            "processor": processor(),
            "load_before": load_before,
            "date": datetime.now().astimezone().date().isoformat(),
            "args": [*(["--quick"] if asked.quick else []), *(["--only", *asked.only] if asked.only else [])],
            "rows": [row.as_dict() for row in rows],
        }
        if asked.only and asked.json.exists():
            report = renewed(json.loads(asked.json.read_text(encoding="utf-8")), report)
        asked.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _measured(subject: str, quick: bool) -> list[Row]:
    began = time.perf_counter()
    print(f"measuring {subject} …", end=" ", file=sys.stderr, flush=True)
    # Here, since a module imports what it measures, and the commands of `imports` need none of it.
    rows = list(import_module(f"benchmarks.{subject}").rows(quick))
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main())
