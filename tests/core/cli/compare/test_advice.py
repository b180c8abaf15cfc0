"""One sentence on what to take, whose reason the figures give."""

from pathlib import Path
from typing import Any

import pytest

from turgo.cli.compare.advice import advice
from turgo.cli.compare.comparison import Comparison
from turgo.registry.source_files import load_source

trial = load_source(Path(__file__).with_name("made_trials.py")).trial


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            {"slots": 4, "seconds": 0.25},
            "Take dask: it takes 250 ms where local takes 1.0 s, 4.0 times as quick, as it runs 4 calls at once.",
        ),
        ({"seconds": 0.25}, "as each call costs less there."),
        (
            {"slots": 4, "seconds": 0.25, "start_seconds": 3.0},
            "Stay with local: dask saves 750 ms of calls and takes 3.0 s to start",
        ),
        (
            {"slots": 2, "work_seconds": 1.7},
            "as they hold the interpreter's lock or share the cores; processes would have a lock each.",
        ),
        ({"slots": 2, "moved_bytes": 4e9}, "dask has to be sent 4.0 GB for 800 ms of work"),
        (
            {"slots": 2, "seconds": 2.0, "least_seconds": 0.4},
            "a call takes 80 ms, and on dask it costs 160 ms beside that; more work in each call would change it.",
        ),
        ({}, "dask runs no more calls at once than local here."),
        ({"slots": 2}, "dask is no more than 15% quicker: too few of the calls can run at once."),
    ],
)
def test_the_reason_fits_the_figures(other: dict[str, Any], said: str) -> None:
    """The start of an executor counts."""
    assert said in advice(Comparison.of("census", {"local": [trial()], "dask": [trial(**other)]}))


def test_who_has_tried_processes_is_not_told_to() -> None:
    """They share the cores then."""
    slow = trial(slots=2, work_seconds=1.7)
    trials = {"local": [trial()], "threads": [slow], "procs": [trial(seconds=5, moved_bytes=99)]}
    assert "processes would" not in advice(Comparison.of("census", trials))


def test_results_come_before_figures() -> None:
    """What is wrong quickly is no use."""
    trials = {"local": [trial()], "dask": [trial(result=None, seconds=0.1)]}
    assert advice(Comparison.of("census", trials)).startswith("Find out first why the results differ")


def test_one_executor_is_no_comparison() -> None:
    """It says how to name another one."""
    assert advice(Comparison.of("census", {"local": [trial()]})).endswith("--on local,NAME.")
