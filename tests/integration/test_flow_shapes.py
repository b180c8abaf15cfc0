"""Maps, parts of results, callables and values of every kind do the same on every executor."""

import asyncio
import functools
import itertools
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import cloudpickle
import pytest

from turgo import Skip, flatten, flow, task, unmapped
from turgo.registry.source_files import load_source

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

small = load_source(Path(__file__).with_name("small_tasks.py"))
same, add, plus, upto, total = small.same, small.add, small.plus, small.upto, small.total

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "dask in threads", "file")


def states(run, name):
    return [str(each.state) for each in run.task_runs if each.name == name]


# Maps.


def test_maps_of_every_kind(executor):
    """Static, dynamic, zipped, chained, unmapped, empty, over results and over a generator."""

    @flow
    def maps():
        static = plus.map(range(5))
        return {
            "chained": plus.map(plus.map(static)),
            "dynamic": plus.map(upto(4), more=unmapped(10)),
            "zipped": plus.map(static, upto(3)),
            "listed": plus.map([plus(1), plus(2)]),
            "generated": plus.map(n * n for n in range(3)),
            "empty": total(plus.map(upto(0))),
            "fixed": plus.map(range(2), unmapped(total(static))),
        }

    assert maps.run(executor=executor).result == {
        "chained": [3, 4, 5, 6, 7],
        "dynamic": [10, 11, 12, 13],
        "zipped": [1, 3, 5],
        "listed": [3, 4],
        "generated": [1, 2, 5],
        "empty": 0,
        "fixed": [15, 16],
    }


def test_maps_of_every_shape(executor):
    """Flattened, nested, empty, endless beside what ends, of a length known only at run time, reduced."""

    @flow
    def inner(row):
        return add.map(row, unmapped(100))

    @flow
    def shapes():
        lists = upto.map([1, 2, 3])
        table = [add.map(row) for row in ([1, 2], [], [3])]
        return {
            "flat": [flatten(lists), add.map(flatten(lists), unmapped(1)), total(flatten([upto(3), [5]]))],
            "nested": [table, total.map(table), [inner(row) for row in ([1], [2, 3])]],
            "empty": [add.map(upto(0)), total(add.map([])), flatten(upto.map([])), flatten([[], []])],
            "endless": add.map([1, 2], itertools.count(10)),
            "dynamic": total(add.map(add.map(upto(4)), upto(3))),
            "mixed": add.map([same(1), 2], upto(2)),
        }

    assert shapes.run(executor=executor).result == {
        "flat": [[0, 0, 1, 0, 1, 2], [1, 1, 2, 1, 2, 3], 8],
        "nested": [[[1, 2], [], [3]], [3, 0, 3], [[101], [102, 103]]],
        "empty": [[], 0, [], []],
        "endless": [11, 13],
        "dynamic": 6,
        "mixed": [1, 3],
    }


def test_a_width_over_the_ceiling_that_shows_at_run_time(executor):
    """That map fails, and what needs it; the rest goes on."""

    @flow(max_map_width=5)
    def wide():
        return total(add.map(upto(6))), total(add.map(upto(5)))

    run = wide.run(executor=executor)
    assert states(run, "total") == ["TriggerFailed", "Success"] and "5 are the most" in str(run.error)


# Parts of results.


def test_parts_of_results(executor):
    """Items, slices, attributes and unpacking; of results and of mapped ones."""

    @task
    def point(number):
        return SimpleNamespace(x=number, far=SimpleNamespace(y=10 * number))

    @task(nout=2)
    def pair(number):
        return number, 10 * number

    @task(nout=2)
    async def later(number):
        await asyncio.sleep(0)
        return [number, "later"]

    @flow
    def parts():
        stats, many, where = same({"a": [1, 2, 3]}), add.map(range(5)), point(2)
        left, right = pair(1)
        lefts, rights = pair.map([1, 2, 3])
        first, word = later(5)
        return {
            "items": [stats["a"], stats["a"][0], many[0], many[-1], many[1:3], many[:left]],
            "attributes": [where.x, where.far.y],
            "pair": [left, right, total([left, right]), first, word],
            "pairs": [add.map(lefts, rights), lefts, rights[1]],
        }

    assert parts.run(executor=executor).result == {
        "items": [[1, 2, 3], 1, 0, 4, [1, 2], [0]],
        "attributes": [2, 20],
        "pair": [1, 10, 11, 5, "later"],
        "pairs": [[11, 22, 33], [1, 2, 3], 20],
    }


def test_an_element_of_a_map_is_the_one_of_its_index_whatever_became_of_others(executor):
    """It is skipped with it, and not there if that one failed; large ones stay where they are."""

    @task
    def some(number):
        if number == 1:
            raise Skip
        if number == 3:
            raise ValueError
        return bytes([number]) * 200_000

    @task
    def size(value):
        return value[0], len(value)

    @task
    def sizes(values):
        return [len(value) for value in values]

    @flow
    def parts():
        many = some.map(range(5))
        return [size(many[at]) for at in (2, 4, 1, 3)], sizes(many[:3]), many[0]

    run = parts.run(executor=executor)
    assert states(run, "size") == ["Success", "Success", "Skipped", "TriggerFailed"]
    assert run.values("size")[:2] == [(2, 200_000), (4, 200_000)]
    assert run.values("sizes") == [[200_000, 200_000]] and run.partial[-1] == bytes(200_000)


def test_what_takes_one_element_begins_while_others_run(executor, tmp_path):
    """The last element waits for it, so they could not both end otherwise."""
    if executor.slots < 2:
        pytest.skip("one call at a time")

    @task(batch=False)
    def element(number):
        end = time.monotonic() + 100
        while number and not (tmp_path / "begun").exists():
            assert time.monotonic() < end, "it waits for the whole map"
            time.sleep(0.01)
        return number

    @task
    def begin(number):
        (tmp_path / "begun").touch()
        return number + 10

    @flow
    def early():
        elements = element.map([0, 1])
        return begin(elements[0]), elements[-1], elements

    assert early.run(executor=executor).result == (10, 1, [0, 1])


def test_a_value_of_another_length_fails_its_task_and_no_other(executor):
    """An element of a map for itself: what follows the others goes on."""

    @task(nout=2)
    def pair(count):
        return list(range(count))

    @flow
    def parts():
        lefts, rights = pair.map([2, 3, 2])
        return add.map(lefts, rights), same(1)

    run = parts.run(executor=executor)
    assert states(run, "pair") == ["Success", "Failed", "Success"]
    assert states(run, "add") == ["Success", "TriggerFailed", "Success"]
    message = "pair is declared with nout=2, but returned 3 values: [0, 1, 2]"
    assert [str(each.error) for each in run.task_runs.failures()] == [message]


# Callables and values of every kind.


class Scale:
    """With state, and with tasks among its methods."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, number):
        return self.factor * number

    @task
    def scaled(self, number):
        return self.factor * number

    @task(nout=2)
    def both(self, number):
        return number, self.factor * number

    @staticmethod
    @task
    def doubled(number):
        return 2 * number

    @task
    @staticmethod
    def tripled(number):
        return 3 * number

    @classmethod
    @task
    def named(cls, number):
        return cls.__name__, number


def test_callables_of_every_kind(executor):
    """Methods of each kind, async functions, partials, lambdas, closures, objects and builtins; called and mapped."""
    offset = 100

    @task
    async def later(number):
        await asyncio.sleep(0.001)
        return number + 1

    @flow
    def kinds():
        scale = Scale(3)
        number, scaled = scale.both(4)
        return [
            [scale.scaled(2), scale.scaled.map([1, 2]), number, scaled],
            [
                scale.doubled(2),
                scale.doubled.map([1]),
                scale.tripled(2),
                Scale.tripled.map([1]),
                Scale.named(1),
            ],
            [task(functools.partial(pow, 2))(5), task(functools.partial(pow, 2)).map([1, 2])],
            [task(lambda number: number + offset)(1), task(Scale(5))(2), task(Scale(5)).map([1, 2])],
            [task(max)([3, 9, 4]), task(len)("four"), task(str.upper).map(["a", "b"]), task(dict)(a=1)],
            [later(1), later.map(range(3))],
        ]

    assert kinds.run(executor=executor).result == [
        [6, [3, 6], 4, 12],
        [4, [2], 6, [3], ("Scale", 1)],
        [32, [2, 4]],
        [101, 10, [5, 10]],
        [9, 4, ["A", "B"], {"a": 1}],
        [2, [1, 2, 3]],
    ]


def test_values_of_every_kind(executor):
    """None, an exception, classes, NotImplemented and something large come back as they are, and are no failures."""

    @task
    def gives(number):
        return [None, ValueError("a value"), KeyError, Scale, NotImplemented, b"x" * 3_000_000][number]

    @flow
    def giving():
        single, mapped = [gives(number) for number in range(6)], gives.map(range(6))
        return single, mapped, same(mapped), same([None, NotImplemented]), task(repr)(gives(1))

    *given, constants, text = giving.run(executor=executor).result
    for nothing, error, builtin, own, other, large in given:
        assert nothing is None and other is NotImplemented and len(large) == 3_000_000
        assert type(error) is ValueError and error.args == ("a value",)
        assert builtin is KeyError and own(2)(3) == 6
    assert constants == [None, NotImplemented] and text == "ValueError('a value')"
