"""The file of what was measured: all subjects by one run, and some of them again by later ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def renewed(report: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """A report in which the subjects that were measured later have the rows of then, and it says so.

    Of the same shape as what it is given, with one key more, `later`: of each such run all but its rows, and its
    subjects; what no row is left of is not there.
    """
    rows = {subject: [] for subject in dict.fromkeys(row["subject"] for row in report["rows"])}
    anew: dict[str, list[Any]] = {}
    for row in later["rows"]:
        anew.setdefault(row["subject"], []).append(row)
    for row in report["rows"]:
        rows[row["subject"]].append(row)
    rows.update(anew)
    earlier = [
        {**run, "subjects": left}
        for run in report.get("later", ())
        if (left := [subject for subject in run["subjects"] if subject not in anew])
    ]
    run = {key: value for key, value in later.items() if key != "rows"}
    return {
        **report,
        "later": [*earlier, {**run, "subjects": list(anew)}],
        "rows": [row for each in rows.values() for row in each],
    }
