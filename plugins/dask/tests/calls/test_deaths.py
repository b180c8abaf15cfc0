"""Workers that die of a call: how many it costs, on a cluster of others, and whom that is ascribed to."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import distributed
import pytest

from turgo import FlowRun, TaskState, flow, task, unmapped
from turgo.errors import WorkerLostError
from turgo_dask import DaskExecutor
from turgo_dask.calls.deaths import KEPT_DEATHS, Deaths

END_SECONDS = 60
LARGE_BYTES = 100_000  # too large to come home


@pytest.fixture(scope="module")
def theirs(nannied: Callable[..., Any]) -> Iterator[distributed.LocalCluster]:
    """Two workers of one thread each."""
    with nannied(2, 1) as cluster:
        assert cluster.scheduler.allowed_failures == 3
        yield cluster


def connected(cluster: distributed.LocalCluster) -> DaskExecutor:
    """An executor that knows no more of the cluster than its address."""
    return DaskExecutor(address=cluster.scheduler_address, debug=False)


@task
def deadly(number: int, last: int) -> int:
    """`number`, save for the one that ends its worker."""
    if number == last:
        os._exit(3)
    return number


@flow
def mapped(count: int, last: int) -> Any:
    """So many calls, the one of which kills."""
    return deadly.map(range(count), [last] * count)


@pytest.mark.parametrize("count", [1, 1000])
def test_a_call_that_ends_its_worker_ends_two_of_them(
    theirs: distributed.LocalCluster, lost_workers: Callable[[Any], Callable[[], int]], count: int
) -> None:
    """Be it alone or in a batch of a thousand, on a scheduler that would send it to four. All others succeed."""
    lost = lost_workers(theirs)
    last = count * 2 // 3
    run = mapped.run(count, last, executor=connected(theirs))
    states = [each.state for each in run.task_runs]
    assert states == [TaskState.CRASHED if number == last else TaskState.SUCCESS for number in range(count)]
    assert lost() == 2
    assert isinstance(run.task_runs[last].error, WorkerLostError)


@task
def large(number: int, killers: list[int]) -> bytes:
    """A value that stays on the worker that made it, save for those that end it."""
    time.sleep(0.01)
    if number in killers:
        os._exit(3)
    return bytes([number]) * LARGE_BYTES


@task
def measured(value: bytes, killers: list[int]) -> int:
    """The number that a value is made of, save for those that end their worker."""
    time.sleep(0.01)
    if value[0] in killers:
        os._exit(3)
    return value[0]


@task
def doubled(number: int) -> int:
    """What depends on one that may be lost."""
    return 2 * number


@flow
def kept(count: int, makers: list[int], readers: list[int]) -> Any:
    """Values on the workers, calls that read them, and what depends on those; others beside them.

    makers: the calls that kill as they make a value; readers: those that do as they read one.
    """
    values = large.map(range(count), unmapped(makers))
    measures = measured.map(values, unmapped(readers))
    return values, doubled.map(measures), deadly.map(range(50), unmapped(-1))


def judged(run: FlowRun, makers: list[int], readers: list[int]) -> list[str]:
    """What is wrong with a run."""
    crashed = {("large", index) for index in makers} | {("measured", index) for index in readers}
    cannot = {("measured", index) for index in makers} | {("doubled", index) for index in makers + readers}
    wrong = []
    for each in run.task_runs:
        here = (each.name, each.index)
        expected = TaskState.CRASHED if here in crashed else TaskState.SUCCESS
        expected = TaskState.TRIGGER_FAILED if here in cannot else expected
        if each.state is not expected:
            wrong.append(f"{each.label}: {each.state}, {each.error!r}")
    return wrong


@pytest.fixture(scope="module")
def threaded(nannied: Callable[..., Any]) -> Iterator[distributed.LocalCluster]:
    """Two workers of three threads each, so that calls die that did nothing."""
    with nannied(2, 3) as cluster:
        assert cluster.scheduler.allowed_failures == 3
        yield cluster


def drawn(seed: int) -> tuple[int, list[int], list[int]]:
    """How many calls, and which of them kill: one or two, that make values or read them."""
    draw = random.Random(seed)
    count = draw.randint(20, 40)
    killers = draw.sample(range(count), 1 + seed // 2 % 2)
    return (count, killers, []) if seed % 2 else (count, [], killers)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in (1, 2))])
def test_innocent_calls_are_never_crashed(
    threaded: distributed.LocalCluster, lost_workers: Callable[[Any], Callable[[], int]], seed: int
) -> None:
    """Neither those that run beside one that kills, nor those that dask makes again, nor those that wait for them."""
    count, makers, readers = drawn(seed)
    lost = lost_workers(threaded)
    run = kept.run(count, makers, readers, executor=connected(threaded))
    assert not judged(run, makers, readers)
    assert lost() <= 2 * len(makers + readers)
    values = run.values("doubled")
    assert all(values[number] == 2 * number for number in range(count) if number not in makers + readers)


def test_what_waits_for_a_call_that_is_lost_is_blameless(theirs: distributed.LocalCluster) -> None:
    """Its error says whose death it was."""
    with connected(theirs).start() as executor:
        lost = executor.submit(os._exit, 3)
        error = executor.submit(str, lost).exception(timeout=END_SECONDS)
        assert isinstance(error, WorkerLostError) and error.blameless
        assert lost.key in str(error)


def test_deaths_know_who_was_alone() -> None:
    """Of a worker that had other calls, of others too, or that nobody heard of, nothing is sure."""
    known = Deaths()
    known.note({"action": "remove-worker", "worker": "tcp://a", "processing-tasks": {"one"}})
    known.note(
        {"action": "remove-worker", "worker": "tcp://b", "processing-tasks": {"one", ("of", "others")}}
    )
    assert known.alone("one", "tcp://a")
    assert not known.alone("one", "tcp://b") and not known.alone("one", "tcp://c")
    known = Deaths(is_over=lambda key: key == "done")
    known.note({"action": "remove-worker", "worker": "tcp://a", "processing-tasks": {"one", "done"}})
    assert known.alone("one", "tcp://a") and not known.alone("two", "tcp://a")
    for number in range(2 * KEPT_DEATHS):
        known.note({"action": "remove-worker", "worker": str(number), "processing-tasks": ()})
    assert not known.alone("one", "tcp://a")


def test_a_worker_that_was_closed_in_order_did_not_die_of_a_call() -> None:
    """The scheduler says that it was expected."""
    known = Deaths()
    for worker, expected in (("tcp://a", True), ("tcp://b", False)):
        known.note(
            {"action": "remove-worker", "worker": worker, "processing-tasks": (), "expected": expected}
        )
    assert known.knows("tcp://a") and known.knows("tcp://b") and not known.knows("tcp://c")
    assert known.left_in_order("tcp://a") and not known.left_in_order("tcp://b")
    known.retires("tcp://c")
    assert known.knows("tcp://c") and known.left_in_order("tcp://c")
    known.came("tcp://a")
    assert not known.knows("tcp://a") and not known.left_in_order("tcp://a")


@pytest.mark.parametrize(
    "event",
    [{}, {"action": "remove-worker"}, {"action": "remove-worker", "worker": None, "processing-tasks": 5}],
)
def test_an_event_that_tells_of_no_worker_is_passed_over(event: dict[str, object]) -> None:
    """Whoever reaches the scheduler may send one."""
    deaths = Deaths()
    deaths.note(event)
    assert not deaths.alone("key", "tcp://there")
