"""`turgo graph` on a terminal of its own: what somebody sees who has 36 columns, 200, or no colour."""

import sys
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source

_terminal = load_source(Path(__file__).with_name("terminal_session.py"))

FLOW = """
from turgo import flow, task

@task
def gather_the_observations(station):
    return [station]

@task(trigger="any_successful")
def average(values):
    return values

@flow
def weather():
    return average(gather_the_observations.map(["oslo", "lima", "cairo"]))
"""


@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}])
def test_a_tree_fits_a_terminal_of_any_width(tmp_path: Path, variables: dict[str, str]) -> None:
    """With branches; what does not fit a line goes on below it; without colour if none is wanted."""
    (tmp_path / "weather.py").write_text(FLOW)
    command = [sys.executable, "-m", "turgo", "graph", "weather.py"]
    narrow = _terminal.Session(command, tmp_path, columns=36, **variables)
    lines = narrow.finish()
    assert lines[:2] == ["weather", "└── gather_the_observations ×3"]
    assert lines[2].startswith("    └── average  trigger") and len(lines) == 4
    wide = _terminal.Session(command, tmp_path, columns=200, **variables)
    assert wide.finish()[2] == "    └── average  trigger any_successful"
    assert (b"\x1b[1m" in wide.raw) == (not variables)


def test_a_dry_run_shows_the_same_tree(tmp_path: Path) -> None:
    """With what would become of each task, and below it how many calls that is."""
    (tmp_path / "weather.py").write_text(FLOW)
    command = [sys.executable, "-m", "turgo", "run", "weather.py", "--dry-run"]
    assert _terminal.Session(command, tmp_path, columns=200).finish() == [
        "weather",
        "└── gather_the_observations ×3  3 would run",
        "    └── average  trigger any_successful, would run",
        "would run: 3 of gather_the_observations, 1 of average",
    ]
    narrow = _terminal.Session(command, tmp_path, columns=40).finish()
    assert narrow[1].startswith("└── gather_the_observations ×3") and max(map(len, narrow)) <= 40
