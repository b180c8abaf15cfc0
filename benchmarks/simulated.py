"""Clusters of up to 10,000 slots in virtual time: the real engine on simulated workers, beside equal chunks by hand.

Each submission costs the one scheduler 1.5 ms. By hand is what one reaches who tries many sizes of chunks and takes the
best. Nothing here depends on the machine but the seconds that the simulation itself takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import Random

import attrs

from benchmarks.rows import Budget, Row, slower
from turgo import flow, task
from turgo.testing import SimulatedExecutor

SUBJECT = "simulated"
SERIAL_SECONDS = 0.0015
CHUNKS_PER_SLOT = (0.25, 0.5, 0.75, 1, 1.5, 2, 4, 10)
SHARE_OF_SUBMISSIONS = 0.03
"""Of the ideal time: where one submission for each slot takes less, the ideal is near enough to be promised."""


def rows(quick: bool) -> Iterator[Row]:
    """Even calls with a serial price, uneven ones without it, and how long the simulation takes."""
    for seconds in (0.01, 1.0):
        for slots in (100,) if quick else (100, 1_000, 10_000):
            yield from _even(slots, 200 * slots, seconds)
    yield _uneven((2, 16, 100) if quick else (2, 16, 100, 1_000), seeds=2 if quick else 3)
    yield _real_seconds(10_000, 100_000)


def _run(executor: SimulatedExecutor, seconds: list[float]) -> float:
    """Virtual seconds that the engine takes for calls of these lengths."""

    @task
    def nap(length: float) -> None:
        executor.sleep(length)

    run = flow(name="naps")(lambda: nap.map(seconds)).run(executor=executor)
    assert run.ok
    return run.duration


def _by_hand(slots: int, calls: int, seconds: float, chunk: int) -> float:
    """Virtual seconds that equal chunks take, one submission for each."""
    with SimulatedExecutor(slots, serial_seconds=SERIAL_SECONDS).start() as executor:
        began = executor.clock.now
        lengths = [min(chunk, calls - low) * seconds for low in range(0, calls, chunk)]
        executor.wait([executor.submit(executor.sleep, length) for length in lengths])
        return executor.clock.now - began


def _even(slots: int, calls: int, seconds: float) -> Iterator[Row]:
    ours = _run(SimulatedExecutor(slots, serial_seconds=SERIAL_SECONDS), [seconds] * calls)
    sizes = sorted({max(1, round(calls / slots / parts)) for parts in CHUNKS_PER_SLOT})
    best, size = min((_by_hand(slots, calls, seconds, size), size) for size in sizes)
    what = f"{slots:,} slots: {calls:,} calls of {seconds:g} s, virtual time"
    beside = slower(SUBJECT, what, ours / calls, best / calls, f"chunks of {size}, the best size", 1.1)
    yield attrs.evolve(beside, figures={"slots": slots, "calls": calls, "seconds": ours, "by_hand": best})
    ideal = calls * seconds / slots
    near = slots * SERIAL_SECONDS < SHARE_OF_SUBMISSIONS * ideal
    yield slower(SUBJECT, what, ours / calls, ideal / calls, "ideal", 1.1 if near else None)


KINDS: dict[str, Callable[[Random], float]] = {
    "log-normal": lambda random: 0.01 * random.lognormvariate(0.0, 1.5),
    "one in a thousand": lambda random: 1.0 if random.random() < 0.001 else 0.01,
}


def _uneven(sizes: tuple[int, ...], seeds: int) -> Row:
    """The worst of several clusters, kinds and seeds."""
    figures: dict[str, float] = {}
    for slots in sizes:
        for kind, drawn in KINDS.items():
            for seed in range(1, seeds + 1):
                random = Random(seed)
                seconds = [drawn(random) for _ in range(50 * slots)]
                bound = sum(seconds) / slots + max(seconds)
                figures[f"{kind}, {slots} slots, seed {seed}"] = (
                    _run(SimulatedExecutor(slots), seconds) / bound
                )
    worst = max(figures, key=lambda name: figures[name])
    return Row(
        subject=SUBJECT,
        what=f"uneven calls, 50 a slot, no serial price; the worst of {len(figures)} is {worst}",
        theirs_name="a fair share and the longest call",
        ratio=figures[worst],
        budget=Budget("≤", 1.05),
        figures=figures,
    )


def _real_seconds(slots: int, calls: int) -> Row:
    began = time.perf_counter()
    _run(SimulatedExecutor(slots, serial_seconds=SERIAL_SECONDS), [1.0] * calls)
    seconds = time.perf_counter() - began
    return Row(
        subject=SUBJECT,
        what=f"{slots:,} slots: {calls:,} calls of 1 s, what the simulation takes",
        ours_us=seconds / calls * 1e6,
        ratio=seconds,
        unit="s",
    )
