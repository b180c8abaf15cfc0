"""What the journal of a run costs: calls of a millisecond, no-ops, and bytes on the disk."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import work
from benchmarks.rows import Budget, Row
from turgo import flow, task

SPIN_SECONDS = 0.001


@task
def spin(number: int) -> int:
    """A call of a millisecond of the processor."""
    end = time.thread_time() + SPIN_SECONDS
    while time.thread_time() < end:
        pass
    return number


@task
def noop(number: int) -> int:
    """A call of nothing."""
    return work.noop(number)


@flow
def spins(count: int) -> None:
    """A map of short calls."""
    spin.map(range(count))


@flow
def noops(count: int) -> None:
    """A map of calls of nothing."""
    noop.map(range(count))


def rows(quick: bool) -> Iterator[Row]:
    """The rows with and without journal, by the time of the processor, which other programs disturb least."""
    short, many = (5_000, 100_000) if quick else (100_000, 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TURGO_JOURNAL__FOLDER"] = folder
        try:
            plain, kept = _seconds(spins, short, journal=False), _seconds(spins, short, journal=True)
            yield Row(
                subject="journal",
                what=f"{short:,} calls of 1 ms with the journal, beside without",
                ours_us=kept / short * 1e6,
                theirs_us=plain / short * 1e6,
                theirs_name="without",
                ratio=kept / plain,
                budget=Budget("≤", 1.1),
            )
            plain, kept = _seconds(noops, many, journal=False), _seconds(noops, many, journal=True)
            size = max(sum(file.stat().st_size for file in run.iterdir()) for run in Path(folder).iterdir())
            yield Row(
                subject="journal",
                what=f"{many:,} mapped no-ops with the journal: bytes per task run on the disk",
                ours_us=kept / many * 1e6,
                theirs_us=plain / many * 1e6,
                theirs_name="without",
                ratio=size / many,
                unit="bytes",
            )
        finally:
            del os.environ["TURGO_JOURNAL__FOLDER"]


def _seconds(made: object, count: int, *, journal: bool) -> float:
    """Seconds of the processor that a run takes, the thread that writes the journal among it."""
    began = time.process_time()
    run = made.run(count, executor="local", journal=journal, keep_values=False)  # type: ignore[attr-defined]
    assert run.ok
    return time.process_time() - began
