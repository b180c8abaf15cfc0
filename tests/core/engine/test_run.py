"""Runs as a whole: memory, many calls, long chains."""

import gc
import time
import tracemalloc
import weakref
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.hooks import hookimpl
from turgo.records.states import TaskState
from turgo.registry.source_files import load_source
from turgo.worker.batch import Batch

pytestmark = pytest.mark.usefixtures("inline_as_local")

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor


class Large:
    """Something to count."""

    alive = 0

    def __init__(self):
        Large.alive += 1
        weakref.finalize(self, Large.gone)

    @staticmethod
    def gone():
        Large.alive -= 1


@task
def make(value=0):
    return Large()


@task
def count(*values):
    return Large.alive


@task
def nothing(value):
    return None


def test_values_are_dropped_when_no_longer_needed():
    """In a chain of tasks that each bring a large value, no more than those of one batch are alive at once."""

    @flow
    def chain():
        counts = []
        value = make()
        for _ in range(100):
            counts.append(count.with_options(batch=False)(value))
            value = make.with_options(batch=False).after(counts[-1])(value)
        return counts

    assert max(chain.run(executor="local", keep_values=False).result) <= 3
    gc.collect()
    assert Large.alive == 0


def test_what_is_not_used_is_not_kept():
    """Values that nobody needs are gone although the run goes on."""

    @flow
    def unused():
        made = [make() for _ in range(50)]
        return count.after(*made)()

    assert unused.run(executor="local", keep_values=False).result <= 1
    assert Large.alive == 0


def test_a_map_over_a_map_drops_the_elements_above_as_it_goes():
    """No more of them are alive than a batch or two make, of 0.2 s each."""

    @task
    def slowly(value):
        time.sleep(0.001)
        return Large()

    @flow
    def maps():
        return count.map(slowly.map(range(500)))

    counts = maps.run(executor="local", keep_values=False).result
    assert len(counts) == 500 and max(counts) < 300
    assert Large.alive == 0


def test_a_failed_run_keeps_no_values_but_those_it_returned():
    """The run object can be kept without keeping the data."""

    @task
    def fails(value):
        raise ValueError("on purpose")

    run = flow(lambda: [fails(1), nothing(make())]).run(executor="local", keep_values=False)
    assert not run.ok and Large.alive == 0


def test_a_million_calls_take_less_than_64_bytes_each():
    """Beyond their values; the peak while the run goes on."""
    whole = flow(lambda: nothing.map(range(1_000_000)))
    flow(lambda: nothing.map(range(1_000))).run(executor="local")  # what is imported by the first run
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        run = whole.run(executor="local")
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert run.task_runs.counts() == {TaskState.SUCCESS: 1_000_000}
    assert run.result[-1] is None
    assert peak < 64 * 1_000_000


def test_a_long_chain_runs():
    """Ten thousand tasks, each on the one before."""

    @task
    def add(value):
        return value + 1

    def body():
        value = add(0)
        for _ in range(9_999):
            value = add(value)
        return value

    assert flow(body).run(executor="local").result == 10_000


@pytest.mark.parametrize("retries", [0, 1])
def test_batches_that_stop_early_change_no_result(monkeypatch, retries):
    """Here each stops after its first call."""
    monkeypatch.setattr(Batch, "limit", 0.0)
    failed = set()

    @task(retries=retries)
    def picky(value):
        if value % 7 == 3 and not (retries and value in failed):
            failed.add(value)
            raise ValueError(value)
        return value + 1

    @task(trigger="all_finished")
    def count(values):
        return sum(type(value) is int for value in values), len(values)

    @flow
    def mapped():
        first = picky.map(range(40))
        second = picky.map(first)
        return count(second), count([picky(value) for value in range(100, 120)])

    run = mapped.run(executor="local")
    assert run.result == (((40, 40), (20, 20)) if retries else ((28, 40), (17, 20)))


def test_failures_do_not_keep_the_data_of_their_tasks():
    """Save the first ten, which a debugger can look into; the others still tell where they failed."""

    @task
    def fails(value):
        large = Large()
        try:
            raise KeyError(value)
        except KeyError as error:
            raise ValueError(large.alive) from error

    gc.collect()
    before = Large.alive
    run = flow(lambda: fails.map(range(50))).run(executor="local")
    gc.collect()
    assert Large.alive - before == 10
    assert "raise KeyError(value)" in run.task_runs[49].traceback
    assert isinstance(run.task_runs[49].error.__cause__, KeyError)


def test_observers_hear_of_every_task_run_while_the_executor_is_open():
    """Values that stayed on workers can be fetched then; of the last bunch as well."""
    executor, heard = InlineExecutor(), []

    class Watch:
        @hookimpl
        def turgo_task_events(self, events):
            heard.extend((event.state, executor.started) for event in events if event.state.finished)

    @task
    def same(value):
        return value

    assert flow(lambda: same(same(1))).run(executor=executor, observers=[Watch()]).ok
    assert heard == [(TaskState.SUCCESS, True)] * 2
