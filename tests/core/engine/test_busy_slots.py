"""How busy the slots of clusters of any size are kept, in virtual time: the real engine on simulated workers.

Each submission costs the one scheduler 1.5 ms. What a run takes is compared with what it would take if somebody had cut
the calls by hand into equal chunks, of the best of many sizes.
"""

from heapq import heappop, heappush
from itertools import pairwise
from random import Random

import pytest

from turgo import flow, task
from turgo.testing import SimulatedExecutor

PRICE = 0.0015
PARTS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 14, 20, 30, 50)


def by_hand(slots, calls, seconds, chunk, price=PRICE):
    """Seconds that equal chunks of calls take, submitted one after the other."""
    ends, submitted, free = 0.0, 0.0, [0.0] * slots
    for low in range(0, calls, chunk):
        submitted += price
        end = max(submitted, heappop(free)) + min(chunk, calls - low) * seconds
        heappush(free, end)
        ends = max(ends, end)
    return ends


def best_by_hand(slots, calls, seconds):
    """With the best of many sizes of chunks: from several for a slot to fewer than there are slots."""
    share = calls // slots
    sizes = {max(1, round(share * factor)) for part in PARTS for factor in (part, 1 / part)}
    return min(by_hand(slots, calls, seconds, size) for size in sizes)


def engine(executor, seconds):
    """Seconds that the engine takes for calls of given lengths."""

    @task
    def nap(length):
        executor.sleep(length)

    @flow
    def naps():
        nap.map(seconds)

    run = naps.run(executor=executor)
    assert run.ok
    return run.duration


@pytest.mark.parametrize(
    ("slots", "seconds", "each"),
    [
        (20, 0.01, 200),
        (100, 0.01, 200),
        (400, 0.01, 200),
        (100, 1.0, 40),
        pytest.param(1_000, 0.01, 200, marks=pytest.mark.slow),
        pytest.param(1_000, 1.0, 20, marks=pytest.mark.slow),
        pytest.param(10_000, 0.01, 50, marks=pytest.mark.slow),
    ],
)
def test_as_busy_as_with_the_best_chunks_that_one_could_cut_by_hand(slots, seconds, each):
    """And near the ideal, where one submission for each slot is nothing beside it."""
    calls, ideal = slots * each, each * seconds
    ours = engine(SimulatedExecutor(slots, serial_seconds=PRICE), [seconds] * calls)
    assert ours <= 1.1 * best_by_hand(slots, calls, seconds)
    if slots * PRICE < 0.03 * ideal:
        assert ours <= 1.1 * ideal


@pytest.mark.parametrize("latency", [0.002, 0.05])
def test_a_latency_is_hidden_behind_what_is_queued(latency):
    """But for the first round trips, in which nobody knows how long a call takes."""
    ours = engine(
        SimulatedExecutor(100, serial_seconds=PRICE, latency_seconds=latency, jitter_seconds=0.001),
        [0.01] * 20_000,
    )
    assert ours <= 1.1 * best_by_hand(100, 20_000, 0.01) + 2 * latency


@pytest.mark.parametrize(
    ("slots", "price", "latency", "jitter"),
    [
        (20, 0.0023, 0.01, 0.01),
        (100, 0.0023, 0.02, 0.02),
        (400, 0.0023, 0.03, 0.01),
        (400, 0.0023, 0.03, 0.03),
        (400, 0.0023, 0.03, 0.08),
        (400, 0.005, 0.05, 0.02),
    ],
)
def test_what_a_submission_costs_is_learned_though_all_come_and_go_at_random(slots, price, latency, jitter):
    """As on real clusters, where a busy event loop delays each by many times the price."""
    best = min(by_hand(slots, 200 * slots, 0.01, size, price) for size in (200, 100, 50, 25))
    for seed in range(3):
        simulated = SimulatedExecutor(
            slots, serial_seconds=price, latency_seconds=latency, jitter_seconds=jitter, seed=seed
        )
        assert engine(simulated, [0.01] * 200 * slots) <= 1.2 * (best + latency + jitter), seed


@pytest.mark.parametrize("kind", ["log-normal", "one in a thousand", "bimodal"])
@pytest.mark.parametrize(
    ("slots", "seeds"),
    [
        (2, range(8)),
        (16, range(17, 20)),
        (100, range(1)),
        pytest.param(1_000, range(1, 2), marks=[pytest.mark.slow, pytest.mark.matrix]),
    ],
)
def test_uneven_calls_make_the_tail_no_longer_than_the_longest_of_them(kind, slots, seeds):
    """Beyond a fair share, on an executor whose submissions cost nothing, however the lengths are drawn."""
    for seed in seeds:
        seconds = uneven(kind, 50 * slots, Random(seed))
        ours = engine(SimulatedExecutor(slots), seconds)
        assert ours <= 1.05 * (sum(seconds) / slots + max(seconds)), seed


def uneven(kind, calls, random):
    """The lengths of calls, in seconds."""
    if kind == "log-normal":
        return [0.01 * random.lognormvariate(0.0, 1.5) for _ in range(calls)]
    if kind == "bimodal":
        return [0.01 * (10 if random.random() < 0.1 else 1) for _ in range(calls)]
    return [0.01 * (100 if random.random() < 0.001 else 1) for _ in range(calls)]


@pytest.mark.parametrize("slots", [4, 8])
def test_a_chain_beside_wide_work_is_not_held_up_by_round_trips(slots):
    """Twenty links of 0.1 s and 120 calls of 50 ms; the links decide when the run ends, wherever it is recorded."""
    executor = SimulatedExecutor(slots, serial_seconds=0.003, latency_seconds=0.01, jitter_seconds=0.004)

    @task
    def link(before):
        executor.sleep(0.1)

    @task
    def nap(number):
        executor.sleep(0.05)

    @flow
    def naps():
        wide, last = nap.map(range(120)), None
        for _ in range(20):
            last = link(last)
        return wide, last

    run = naps.run(executor=executor)
    assert run.ok
    assert run.duration <= 1.05 * max(2.0, (2.0 + 6.0) / slots)


@pytest.mark.parametrize("slots", [4, 8])
def test_a_slot_has_its_next_call_at_hand_where_nothing_more_urgent_can_come(slots):
    """Calls that take many round trips, which others wait for that are less urgent than they are themselves."""
    executor = SimulatedExecutor(slots, serial_seconds=0.002, latency_seconds=0.006, jitter_seconds=0.002)

    @task
    def project(number):
        executor.sleep(0.17)

    @task
    def compare(one, other):
        executor.sleep(0.015)

    @flow
    def mosaic():
        images = [project(number) for number in range(10 * slots)]
        return [compare(one, other) for one, other in pairwise(images)]

    run = mosaic.run(executor=executor)
    assert run.ok
    assert run.duration <= 1.04 * (1.7 + 10 * 0.015)


def test_slow_workers_hold_nobody_up_for_long():
    """A tenth of them are ten times as slow; a batch that takes too long gives back what it did not come to."""
    speeds = [0.1, *[1.0] * 9]
    ours = engine(SimulatedExecutor(100, serial_seconds=PRICE, speeds=speeds), [0.01] * 20_000)
    assert ours <= 1.35 * 200.0 / sum(speeds * 10)
