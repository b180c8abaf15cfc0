"""The file of what was measured, some of it later than the rest."""

from __future__ import annotations

from typing import Any

from benchmarks.reports import renewed


def report(date: str, **rows: int) -> dict[str, Any]:
    """Of a day, with so many rows of each subject."""
    every = [{"subject": subject, "at": date} for subject, count in rows.items() for _ in range(count)]
    return {"date": date, "args": [], "rows": every}


def test_subjects_that_are_measured_again_have_their_new_rows() -> None:
    """In the place of the old ones; it is said when, as long as any row of that day is left."""
    first = report("Monday", imports=1, dask=2, slots=1)
    second = renewed(first, report("Tuesday", slots=2, dask=1))
    assert [(row["subject"], row["at"]) for row in second["rows"]] == [
        ("imports", "Monday"),
        ("dask", "Tuesday"),
        ("slots", "Tuesday"),
        ("slots", "Tuesday"),
    ]
    assert second["date"] == "Monday"
    assert second["later"] == [{"date": "Tuesday", "args": [], "subjects": ["slots", "dask"]}]
    third = renewed(second, report("Wednesday", dask=1))
    assert [(run["date"], run["subjects"]) for run in third["later"]] == [
        ("Tuesday", ["slots"]),
        ("Wednesday", ["dask"]),
    ]
    fourth = renewed(third, report("Thursday", dask=1, slots=1))
    assert [(run["date"], run["subjects"]) for run in fourth["later"]] == [("Thursday", ["dask", "slots"])]
