"""Large values stay on the workers of an executor that keeps results remote; see also `test_random_graphs`."""

import gc
import operator
import threading
from pathlib import Path

import pytest

from turgo import flow, task, unmapped
from turgo.engine.remote_values.broadcast import is_large
from turgo.errors import TaskFailedError
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source
from turgo.worker.values.stored_values import width_of

KeepingExecutor = load_source(Path(__file__).parents[2] / "keeping_executor.py").KeepingExecutor

SIZE = 200_000
FACTS = 20_000
"""More bytes than all that is told of the calls of a test."""


@task
def make(seed=0):
    """A value of 200 kB."""
    return bytes([seed]) * SIZE


@task
def length(value):
    """How long it is."""
    return len(value)


@task
def first(value):
    """Its first byte."""
    return value[0]


@pytest.fixture(params=[False, True], ids=["untyped", "typed"])
def executor(request):
    """One on which values stay, behind pickle; whose futures know of what type their values are, or do not."""
    return KeepingExecutor(typed=request.param)


def came(executor):
    """Bytes that came home."""
    return sum(executor.came.values())


def test_a_large_value_goes_from_call_to_call_without_coming_home(executor):
    @flow
    def made():
        return length(make())

    assert made.run(executor=executor).result == SIZE
    assert came(executor) < FACTS


def test_only_what_the_flow_returns_comes_home(executor):
    @flow
    def made():
        kept, wanted = make(1), make(2)
        return {"lengths": [length(kept), length(wanted)], "wanted": wanted}

    result = made.run(executor=executor).result
    assert result == {"lengths": [SIZE, SIZE], "wanted": b"\2" * SIZE}
    assert SIZE < came(executor) < SIZE + FACTS


def test_one_element_of_many_that_were_kept_together_comes_home_alone(executor):
    @flow
    def made():
        every = make.map(range(20))
        return operator.getitem, length.map(every), first.map(every), make(7)

    _, lengths, firsts, seventh = made.run(executor=executor).result
    assert lengths == [SIZE] * 20 and firsts == list(range(20)) and seventh == b"\7" * SIZE
    assert came(executor) < SIZE + FACTS * 2


def test_maps_over_maps_and_what_reduces_them_read_the_elements_where_they_are(executor):
    @task
    def double(value):
        return value + value

    @task
    def total(values):
        return sum(map(len, values))

    @flow
    def mapped():
        return total(double.map(make.map(range(12))))

    assert mapped.run(executor=executor).result == 12 * 2 * SIZE
    assert came(executor) < FACTS


def test_a_map_is_spread_over_a_large_list_that_is_not_here(executor):
    @task
    def numbers():
        return list(range(50_000))

    @task
    def even(number):
        return number % 2 == 0

    @task
    def count(values):
        return sum(values)

    @flow
    def spread():
        return count(even.map(numbers()))

    run = spread.run(executor=executor)
    assert run.result == 25_000
    assert executor.came["numbers-facts"] < FACTS


def test_a_map_over_what_only_a_look_can_count_brings_it_home(executor):
    @task
    def text():
        return Countless(["x" * 40_000, "y" * 40_000])

    @flow
    def spread():
        return length.map(text())

    assert spread.run(executor=executor).result == [40_000, 40_000]


class Countless:
    """What can be iterated over and has no length."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def test_an_item_of_a_large_value_is_taken_where_the_value_is(executor):
    @task
    def pair():
        return {"large": bytes(SIZE), "small": 7}

    @flow
    def items():
        both = pair()
        return both["small"], length(both["large"])

    assert items.run(executor=executor).result == (7, SIZE)
    assert came(executor) < FACTS


def test_a_large_constant_is_sent_once(executor):
    table = bytes(SIZE)

    @task
    def look(index, table):
        return table[index]

    @flow
    def looked():
        return look.map(range(50), unmapped(table)), [look(index, table) for index in range(10)]

    assert looked.run(executor=executor).result == ([0] * 50, [0] * 10)
    assert executor.sent["constant"] == 1


def test_a_value_that_came_home_and_is_large_is_sent_once(executor):
    @task
    def one(number):
        return number

    @task
    def look(index, table):
        return table[index]

    @flow
    def looked():
        table = one.map(range(40_000))
        return look.map(range(100), unmapped(table)), table

    found, table = looked.run(executor=executor).result
    assert found == list(range(100)) and table == list(range(40_000))
    assert executor.sent["constant"] == 1


def test_values_are_let_go_of_as_soon_as_nothing_needs_them(executor):
    @task(batch=False)
    def longer(value):
        return value + b"."

    @flow
    def chain():
        value = make()
        for _ in range(30):
            value = longer(value)
        return length(value)

    gc.collect()
    gc.disable()
    try:
        with executor.start():
            run = chain.run(executor=executor, keep_values=False)
            assert run.result == SIZE + 30
            assert executor.most <= 12
            assert executor.alive == []
    finally:
        gc.enable()


def test_nothing_is_left_of_a_run_that_failed(executor):
    @task
    def fail(value, text):
        raise ValueError(text)

    @flow
    def failing():
        value = make()
        return fail(value, "on purpose"), value

    with executor.start():
        run = failing.run(executor=executor, keep_values=False)
        assert run.state is RunState.FAILED
        gc.collect()
        assert executor.alive == []


def test_what_is_lost_with_its_worker_is_made_again_and_nothing_else(tmp_path):
    made, seen = tmp_path / "made", tmp_path / "seen"

    @task
    def noted(number):
        with made.open("a") as file:
            file.write(f"{number}\n")
        return bytes([number]) * SIZE

    @task
    def small(number):
        with seen.open("a") as file:
            file.write(f"{number}\n")
        return number

    @flow
    def losing():
        values = noted.map(range(3))
        return length.after(values, small.map(range(5))).map(values)

    executor = KeepingExecutor(forgets=("noted", "length"))
    assert losing.run(executor=executor).result == [SIZE] * 3
    assert sorted(made.read_text().split()) == ["0", "0", "1", "1", "2", "2"]
    assert sorted(seen.read_text().split()) == ["0", "1", "2", "3", "4"]


def test_small_values_are_not_made_again_with_the_large_ones_that_they_were_made_from(tmp_path):
    small = tmp_path / "small"

    @task
    def noted(value):
        with small.open("a") as file:
            file.write(f"{value[0]}\n")
        return value[0]

    @flow
    def losing():
        values = make.map(range(40))
        notes = noted.map(values)
        return length.after(values, notes).map(values), notes

    executor = KeepingExecutor(forgets=("make", "length"))
    assert losing.run(executor=executor).result == ([SIZE] * 40, list(range(40)))
    assert sorted(map(int, small.read_text().split())) == list(range(40))


def test_what_the_flow_returns_and_was_lost_is_made_again_before_it_comes_home(tmp_path):
    @flow
    def losing():
        value = make(5)
        return value, length(first.map([value]))

    executor = KeepingExecutor(forgets=("make", "length"))
    assert losing.run(executor=executor).result == (b"\5" * SIZE, 1)


def test_a_large_value_that_cannot_travel_is_the_failure_of_its_call(executor):
    @task
    def odd(number):
        return [number] * 100_000 + ([threading.Lock()] if number else [])

    @flow
    def made():
        return length.map(odd.map(range(3)))

    run = made.run(executor=executor)
    states = [each.state for each in run.task_runs if each.name == "odd"]
    assert states == [TaskState.SUCCESS, TaskState.FAILED, TaskState.FAILED]
    with pytest.raises(TaskFailedError, match="cannot be sent back"):
        _ = run.result


def test_a_batch_without_large_values_costs_one_call_where_futures_tell_their_type():
    @flow
    def small():
        return first.map([b"a", b"b"])

    executor = KeepingExecutor(typed=True)
    assert small.run(executor=executor).result == [97, 98]
    assert executor.sent["first-facts"] == 0 and executor.sent["first"] >= 1


def test_a_value_that_stayed_on_one_executor_is_there_on_another(executor):
    other = KeepingExecutor(seed=1)

    @flow
    def between():
        values = make.map(range(3))
        return first.with_options(executor=other).map(values), length.map(values), make(9)

    assert between.run(executor=executor).result == ([0, 1, 2], [SIZE] * 3, b"\t" * SIZE)
    assert other.sent["first"] >= 1


@pytest.mark.parametrize(
    ("value", "large"),
    [
        (7, False),
        ("x" * 70_000, True),
        (b"x" * 7, False),
        (range(10**9), False),
        (list(range(70_000)), True),
        ([b"x" * 70_000], True),
        ({"a": {"b": b"x" * 70_000}}, True),
        (object(), False),
    ],
)
def test_a_glance_tells_large_values_from_small_ones(value, large):
    assert is_large(value, 1 << 16) is large


def test_the_width_of_what_iterates_otherwise_than_it_counts_is_not_known():
    class Table(list):
        """A list of rows that iterates over its columns."""

        def __iter__(self):
            return iter("ab")

    assert width_of([1, 2]) == 2 and width_of({"a": 1}) == 1
    assert width_of(Table([1, 2, 3])) is None and width_of(object()) is None
