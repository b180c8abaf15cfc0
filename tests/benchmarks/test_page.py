"""The page of figures: what is written into it, and that it says what the file beside it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from benchmarks import page
from benchmarks.rows import Budget, Row, faster

FIGURES = {"slots": 20, "efficiency": {"turgo": 0.9, "by hand": 0.95, "raw": 0.2}}
REPLAY = {
    "trace": "montage",
    "turgo": 2.5,
    "dask": 2.6,
    "list_schedule": 2.55,
    "with_trips": 2.58,
    "bound": 2.0,
}


@pytest.fixture
def report() -> dict[str, Any]:
    rows = [
        Row(subject="slots", what="20 slots", ratio=0.95, budget=Budget("≥", 0.9), figures=FIGURES),
        faster("slots", "20 slots", 2.0, 1.0, "ideal"),
        Row(subject="makespan", what="dask, 4 slots: montage", ratio=1.2, figures={"montage": REPLAY}),
    ]
    return {
        "machine": "2 cores",
        "processor": "a processor",
        "load_before": 0.25,
        "date": "2026-01-02",
        "args": ["--quick"],
        "rows": json.loads(json.dumps([row.as_dict() for row in rows])),
    }


def test_rows_survive_the_file() -> None:
    """A row that was written as JSON is read back as it was, with and without a budget."""
    for budget in (None, Budget("≤", 2.0)):
        row = Row(subject="a", what="b", ratio=1.5, budget=budget, figures=FIGURES)
        assert Row.from_dict(json.loads(json.dumps(row.as_dict()))) == row


def test_what_was_measured_stands_between_the_markers(report: dict[str, Any]) -> None:
    """The words around the markers stay, whatever stood between them goes."""
    text = page.rewritten(f"before\n{page.BEGIN}\nyesterday\n{page.END}\nafter\n", report)
    assert text.startswith(f"before\n{page.BEGIN}\n\nMeasured on 2026-01-02")
    assert text.endswith(f"\n\n{page.END}\nafter\n")
    assert "yesterday" not in text
    assert page.rewritten(text, report) == text


def test_it_says_command_machine_rows_and_each_trace(report: dict[str, Any]) -> None:
    """A reader finds how, where and what was measured, and the traces that the rows only name the worst of."""
    text = page.measured(report)
    assert 'make bench ARGS="--json docs/performance.json --quick"' in text
    assert "a processor: 2 cores. Load average before it: 0.2." in text
    assert "| slots | 20 slots |  |  |  | 0.95 x | ≥ 0.9 x | holds |" in text
    assert "| montage | dask, 4 slots | 2 s | 2.55 s | 2.58 s | 2.5 s | 2.6 s |" in text


@pytest.mark.parametrize(
    "text", ["nothing", page.BEGIN, f"{page.END}\n{page.BEGIN}", page.BEGIN * 2 + page.END]
)
def test_a_page_without_its_markers_is_refused(text: str, report: dict[str, Any]) -> None:
    """Nothing is written where it is not said where to."""
    with pytest.raises(ValueError, match="the page needs one line"):
        page.rewritten(text, report)


def test_the_lines_of_the_picture_are_those_of_the_slots(report: dict[str, Any]) -> None:
    """One point for each cluster that was measured, and no line where none was."""
    assert page.efficiencies(report) == {"turgo": [(20, 0.9)], "by hand": [(20, 0.95)], "raw": [(20, 0.2)]}
    assert page.efficiencies({"rows": report["rows"][1:]}) == {}


def test_the_page_says_what_its_file_says() -> None:
    """Nobody edits a figure by hand: written again from the file, the page stays as it is."""
    report = json.loads((page.DOCS / "performance.json").read_text(encoding="utf-8"))
    text = (page.DOCS / "performance.md").read_text(encoding="utf-8")
    assert page.rewritten(text, report) == text


def test_a_wrong_call_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file the command ends with 2 and a line of usage."""
    assert page.main([]) == 2
    assert "FILE" in capsys.readouterr().err
