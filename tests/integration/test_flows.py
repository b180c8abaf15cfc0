"""Flows do the same on every executor: what they give, each call once, their records, one run after the other."""

import sys
import threading
import time
from collections import Counter
from pathlib import Path

import cloudpickle

from turgo import flow, get_executor, task, unmapped
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source
from turgo.testing import calls

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

small = load_source(Path(__file__).with_name("small_tasks.py"))
plus, total, nap, note = small.plus, small.total, small.nap, small.note


# What flows give.


def test_the_result_has_the_shape_that_was_returned(executor):
    """Values stand where results were returned, in containers of every kind, mapped results as lists."""

    @flow
    def shapes():
        one = plus(0)
        many = plus.map(range(3))
        return {"a": [one, (one, 7)], "b": {"c": many}, "d": many[1], "e": None, "f": {"x"}}

    expected = {"a": [1, (1, 7)], "b": {"c": [1, 2, 3]}, "d": 2, "e": None, "f": {"x"}}
    assert shapes.run(executor=executor).result == expected


def test_named_default_and_nested_arguments(executor):
    """Arguments by name, by default and inside containers reach the function as they were meant."""

    @task
    def show(first, *rest, last="last", **more):
        return first, rest, last, more

    @flow
    def calls():
        one = plus(0)
        return [show(one), show(1, one, 3), show([one, {"k": (one,)}], last=one, other={2, 3})]

    assert calls.run(executor=executor).result == [
        (1, (), "last", {}),
        (1, (1, 3), "last", {}),
        ([1, {"k": (1,)}], (), 1, {"other": {2, 3}}),
    ]


def test_flows_within_flows_and_recursion_that_ends(executor):
    """A flow called in a flow records there; one may call itself as often as its parameters say."""

    @flow
    def down(depth):
        return plus(down(depth - 1)) if depth else plus(0)

    @flow
    def outer():
        return down(20)

    assert outer.run(executor=executor).result == 21


def test_a_reduce_that_sorts_in_place_sorts_its_own_list(executor):
    """What a task does to the list that it is given does not reach the others."""

    @task
    def pop_all(values):
        count = len(values)
        values.clear()
        return count

    @flow
    def rude():
        many = plus.map(range(20))
        return [pop_all(many), pop_all(many), total(many), many]

    for _ in range(2):
        assert rude.run(executor=executor).result == [20, 20, 210, list(range(1, 21))]


# Executions.


def test_each_call_runs_once(executor, tmp_path):
    """Maps, chains and reduces of quick calls: every function is called exactly once for each task run."""
    file = str(tmp_path / "notes")

    @task
    def noted(number, name):
        note(file, f"{name} {number}")
        return number

    @flow
    def much():
        first = noted.map(range(200), unmapped("map"))
        second = noted.map(first, unmapped("again"))
        value = noted(total(second), "sum")
        for at in range(20):
            value = noted(value, f"chain{at}")
        return value

    run = much.run(executor=executor)
    assert run.result == 19900
    counted = Counter(Path(file).read_text().splitlines())
    assert set(counted.values()) == {1}
    assert len(counted) == 421
    assert run.task_runs.counts() == {TaskState.SUCCESS: 422}


def test_independent_calls_overlap(engine, tmp_path):
    """Two calls of which each waits for the other meet wherever the executor runs several, and nowhere else."""
    name, executor = engine
    alone = name in ("local", "synchronous")
    meet, one, other = task(calls.meet), str(tmp_path / "one"), str(tmp_path / "other")

    @flow
    def two():
        return [meet(one, other, patience), meet(other, one, patience)]

    patience = 0.3 if alone else 30.0
    assert two.run(executor=executor).result == [not alone, True]


# Records and runs.


def test_records_tell_when_where_and_how_long(executor):
    """Started, duration and worker of each task run are those of its call."""

    @task(name="nap")
    def timed(seconds):
        start = time.time()
        time.sleep(seconds)
        return start, time.time()

    @flow
    def two():
        return timed(0.2), timed.map([0.0, 0.1])

    began = time.time()
    run = two.run(executor=executor)
    single, quick, slower = run.task_runs
    one, (first, second) = run.result
    for each, (start, end) in zip(run.task_runs, (one, first, second), strict=True):
        assert each.started - 0.05 <= start and end <= each.started + each.duration + 0.05
    if quick.worker == slower.worker:
        assert quick.started + quick.duration <= second[0] + 0.05, "the time of one is not that of the next"
    assert 0.2 <= single.duration < 30 and 0.1 <= slower.duration < 30
    assert all(began - 1 < each.started < time.time() + 1 and each.worker for each in run.task_runs)
    assert [each.label for each in run.task_runs] == ["nap", "nap[0]", "nap[1]"]
    assert began - 1 < run.started and run.duration >= 0.2


def test_the_named_tasks_decide_the_state_of_a_run(executor):
    """Not the leaves, not what is returned."""

    @task
    def bad():
        raise ValueError("bad")

    @flow(reference=[total])
    def named():
        return total([1, 2]), bad()

    assert named.run(executor=executor).state is RunState.SUCCESS
    assert flow(reference=["bad"])(named.fn).run(executor=executor).state is RunState.FAILED


def test_several_runs_on_one_started_executor_and_two_at_once(engine):
    """Runs do not see each other, one after the other or from two threads."""
    name, executor = engine

    @flow
    def scaled(factor):
        return total(plus.map(range(50), unmapped(factor)))

    assert [scaled.run(factor=n, executor=executor).result for n in (1, 2)] == [1275, 1325]
    if name == "local":
        return
    results = {}

    def run(factor):
        results[factor] = scaled.run(factor=factor, executor=executor).result

    threads = [threading.Thread(target=run, args=(factor,)) for factor in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {3: 1375, 4: 1425}


def test_an_executor_that_is_not_started_is_started_and_closed(threads_file):
    """`run` opens an executor that is given closed, and closes it again; one that is open stays open."""
    executor, quick = get_executor(f"{threads_file}:ThreadsExecutor"), flow(lambda: plus(1))
    assert quick.run(executor=executor).ok
    assert not executor.started
    with executor.start():
        assert quick.run(executor=executor).ok
        assert executor.started
