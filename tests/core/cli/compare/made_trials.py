"""Trials with figures that a test chooses."""

from typing import Any

from turgo.cli.compare.trial import Trial


def trial(**facts: Any) -> Trial:
    """One that took a second for ten calls of 80 ms, on one slot."""
    given: dict[str, Any] = {
        "slots": 1,
        "calls": 10,
        "start_seconds": 0.0,
        "seconds": 1.0,
        "work_seconds": 0.8,
        "least_seconds": 0.8,
        "moved_bytes": 0,
        "peak_bytes": 50_000_000,
        "result": [1, 2],
    }
    return Trial(**(given | facts))
