"""Trials side by side: the table, what is said of results, the record for machines."""

from pathlib import Path

from turgo.cli.compare.comparison import Comparison
from turgo.registry.source_files import load_source

trial = load_source(Path(__file__).with_name("made_trials.py")).trial


def test_the_others_are_compared_with_the_first() -> None:
    """By the time after the start; what is left of it beside the least is the overhead of the calls."""
    quick = trial(slots=4, start_seconds=2.0, seconds=0.25, least_seconds=0.2, moved_bytes=4200)
    titles, rows = Comparison.of("census", {"local": [trial()], "dask": [quick]}).rows()
    assert dict(zip(titles, rows[1], strict=True)) == {
        "executor": "dask",
        "slots": "4",
        "start": "2.0 s",
        "time": "250 ms",
        "speed-up": "4.00",
        "overhead a task": "5 ms",
        "bytes moved": "4.2 kB",
        "memory": "50 MB",
    }


def test_several_times_show_median_and_spread() -> None:
    """The middle one counts."""
    titles, (row,) = Comparison.of("census", {"local": [trial(seconds=s) for s in (3, 1, 2)]}).rows()
    assert row[titles.index("time")] == "2.0 s (1.0 s to 3.0 s)"


def test_results_that_differ_are_named() -> None:
    """With the executor and the place; between two times on one executor as well."""
    comparison = Comparison.of("census", {"local": [trial()], "dask": [trial(result=[1, 3])]})
    assert not comparison.agree
    assert comparison.verdict() == ["dask differs from that of local: result[1] is 2 and 3"]
    twice = Comparison.of("census", {"local": [trial(), trial(result=[9, 2])]})
    assert twice.verdict() == ["local differs from that of another time: result[0] is 1 and 9"]


def test_a_run_that_failed_has_no_figures() -> None:
    """It has its error below the table, and the others are compared all the same."""
    comparison = Comparison.of(
        "census", {"local": [trial(failure="read[3]: OSError: gone")], "dask": [trial()]}
    )
    assert comparison.rows()[1][0][3] == "failed"
    assert comparison.verdict() == ["local failed: read[3]: OSError: gone"]
    assert not comparison.agree


def test_machines_get_each_trial_without_its_result() -> None:
    """A result may be anything."""
    found = Comparison.of("census", {"local": [trial(result=object)]}).record()
    assert found["agree"] is True
    assert found["executors"][0]["trials"][0]["overhead_seconds"] > 0
    assert "result" not in found["executors"][0]["trials"][0]
