"""Measures an executor that is started: a round trip, calls in a second, bytes in a second."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from time import perf_counter

from turgo.cli.doctor.findings import Finding
from turgo.cli.doctor.workers import answers
from turgo.executor import Executor
from turgo.records.amounts import short_duration

ROUND_TRIPS = 20
MANY_CALLS = 200
SENT_BYTES = 8 << 20
"""What is sent for each measure of bytes: eight MiB."""

LARGE_SENDINGS = 3
COPIED_BYTES = 20 << 30
"""Bytes in a second above which nothing was sent: the value was handed over."""


def speed(executor: Executor) -> Iterator[Finding]:
    """What was measured, one finding. Raises as `answers` does."""
    trip = median(_seconds(executor, 1) for _ in range(ROUND_TRIPS))
    calls = MANY_CALLS / _seconds(executor, MANY_CALLS)
    payload = bytearray(SENT_BYTES)
    sending = min(_sending_seconds(executor, payload) for _ in range(LARGE_SENDINGS))
    rate = SENT_BYTES / max(sending - trip, 1e-9)
    sent = (
        "values are handed over, not sent" if rate > COPIED_BYTES else f"{rate / 1e6:,.0f} MB/s to a worker"
    )
    one_by_one = f"{calls:,.0f} calls/s one by one (a run groups short ones)"
    yield Finding("speed", f"a round trip takes {short_duration(trip)}; {one_by_one}; {sent}")


def _seconds(executor: Executor, count: int) -> float:
    """What so many calls take that do nothing, submitted at once."""
    began = perf_counter()
    answers(executor, [executor.submit(int, number) for number in range(count)])
    return perf_counter() - began


def _sending_seconds(executor: Executor, payload: bytearray) -> float:
    payload[0] = (payload[0] + 1) % 256  # what was sent before may be known there
    began = perf_counter()
    answers(executor, [executor.submit(len, payload)])
    return perf_counter() - began
