"""Branches, triggers, skips, maps and parts of results do the same on every executor."""

import asyncio
import functools
import itertools
import sys
from types import SimpleNamespace

import cloudpickle
import pytest

from penstock import Skip, TaskState, case, flatten, flow, get_executor, merge, task, unmapped
from penstock.triggers import some_failed, some_successful

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

CHOICES = {
    "local": ("local", {}),
    "threads": ("local_dask", {"scheduler": "threads", "num_workers": 2}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 2}),
    "synchronous": ("local_dask", {"scheduler": "synchronous"}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}}),
}


@pytest.fixture(
    scope="module", params=[pytest.param(c, marks=[pytest.mark.cluster] * (c == "dask")) for c in CHOICES]
)
def executor(request):
    """A started executor; pools that are made lazily are there from now on."""
    name, options = CHOICES[request.param]
    with get_executor(name, **options).start() as started:
        started.wait(started.map(abs, range(8)))
        yield started


@task
def same(value):
    return value


@task
def add(first, second=0):
    return first + second


@task
def upto(count):
    return list(range(count))


@task
def total(values):
    return sum(values)


@task
def odd_ones_fail(number):
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


@task
def odd_ones_skip(number):
    if number % 2:
        raise Skip(f"{number} is odd")
    return number


def states(run, name):
    return [str(each.state) for each in run.task_runs if each.name == name]


# Branches.


@pytest.mark.parametrize("kind", ["table", "image", "text"])
def test_the_branch_of_a_value_is_taken_and_merged(executor, kind):
    """Tasks, maps, flows and branches within one; None is a value, and a constant is what is left in the end."""

    @task(skip_on_upstream_skip=False, trigger="all_finished")
    def stubborn(*values):
        return len(values)

    @flow
    def inner(value):
        return same(same(value))

    @flow
    def read(kind):
        found = same(kind)
        with case(found, "table"):
            rows = add.map(upto(3), unmapped(1))
            count = stubborn(rows)
            with case(total(rows), 6):
                checked = same("checked")
            deep = inner("deep")
        with case(found, "image"):
            pixels = same(None)
        return merge(rows, pixels, "nothing"), merge(count, 0), merge(checked, deep, "-"), merge(deep, "-")

    run = read.run(kind, executor=executor)
    assert run.ok, run.error
    assert (
        run.result
        == {
            "table": ([1, 2, 3], 1, "checked", "deep"),
            "image": (None, 0, "-", "-"),
            "text": ("nothing", 0, "-", "-"),
        }[kind]
    )
    reasons = [str(each.error) for each in run.task_runs if each.name == "case" and each.error]
    assert len(reasons) == {"table": 1, "image": 1, "text": 2}[kind]
    assert all(reason.startswith(f"the condition is {kind!r}, not ") for reason in reasons)
    assert f"the condition is {kind!r}" in run.explain("stubborn") or kind == "table"


def test_a_merge_of_large_values_and_of_failures(executor):
    """What the branches bring may be large, and a branch that failed fails the merge."""

    @flow
    def branches(fails):
        with case(same(1), 1):
            large = same(b"x" * 2_000_000)
        with case(same(1), 2):
            other = same(b"y")
        with case(same(fails), True):
            bad = odd_ones_fail(1)
        return merge(other, large), merge(bad, large)

    run = branches.run(False, executor=executor)
    assert run.ok and [len(each) for each in run.result] == [2_000_000] * 2
    run = branches.run(True, executor=executor)
    assert not run.ok and states(run, "merge") == ["Success", "TriggerFailed"]


def test_a_merge_of_a_map_of_large_values(executor):
    """They are mapped over, reduced, taken apart and returned like those of the map itself."""

    @task
    def blob(size):
        return b"x" * size

    @task
    def size(*values):
        return sum(map(len, values))

    @task
    def sizes(values):
        return [len(value) for value in values]

    @flow
    def branches():
        with case(same(1), 1):
            large = blob.map([300_000 + number for number in range(6)])
        with case(same(1), 2):
            small = blob.map([1])
        found = merge(small, large)
        again = merge(found)
        return size.map(found), size.map(again, large), sizes(again), size(found[2]), again, sizes(large)

    run = branches.run(executor=executor)
    assert run.ok, run.error
    expected = [300_000 + number for number in range(6)]
    mapped, zipped, reduced, one, returned, plain = run.result
    assert mapped == reduced == plain == expected and zipped == [2 * each for each in expected]
    assert one == 300_002 and [len(each) for each in returned] == expected


# Triggers and skips.

EXPECTED = {  # over all good, some failed, all failed, some skipped; on single upstreams and on a mapped one
    "all_successful": [True, False, False, True],
    "all_finished": [True, True, True, True],
    "always_run": [True, True, True, True],
    "all_failed": [False, False, True, False],
    "any_successful": [True, True, False, True],
    "any_failed": [False, True, True, False],
    "not_all_skipped": [True, False, False, True],
    "some_successful": [True, True, False, True],
    "some_failed": [False, True, True, False],
    "custom": [False, True, False, False],
}


def two_failed(states):
    return type(states) is list and states.count(TaskState.FAILED) == 2


TRIGGERS = {
    "some_successful": some_successful(at_least=2),
    "some_failed": some_failed(at_least=0.5),
    "custom": two_failed,
}


@pytest.mark.parametrize("mapped", [False, True], ids=["single", "mapped"])
def test_every_trigger_on_upstreams_of_every_kind(executor, mapped):
    """One flow for each kind of upstreams, with a task for each trigger."""
    reached = {
        name: task(name=name, trigger=TRIGGERS.get(name, name), skip_on_upstream_skip=False)(
            lambda *values: "ran"
        )
        for name in EXPECTED
    }

    @flow
    def above(odd, numbers):
        upstream = [odd.map(numbers)] if mapped else [odd(number) for number in numbers]
        return [each(*upstream) for each in reached.values()]

    for at, (odd, numbers) in enumerate(
        [
            (same, [0, 1, 2, 3]),
            (odd_ones_fail, [0, 1, 2, 3]),
            (odd_ones_fail, [1, 3, 5]),
            (odd_ones_skip, [0, 1, 2, 3]),
        ]
    ):
        run = above.run(odd, numbers, executor=executor)
        ran = {name: states(run, name) == ["Success"] for name in EXPECTED}
        assert ran == {name: expected[at] for name, expected in EXPECTED.items()}
        if odd is odd_ones_skip:
            reasons = [str(each.error) for each in run.task_runs if each.state == "Skipped"]
            assert reasons == ["1 is odd", "3 is odd"]


def test_all_skipped(executor):
    """That is when `not_all_skipped` says no; a task without a say of its own is skipped with them."""

    @task(trigger="not_all_skipped", skip_on_upstream_skip=False)
    def some(*values):
        return values

    @task(skip_on_upstream_skip=False)
    def any_way(*values):
        return values

    @flow
    def skipping():
        one, many = odd_ones_skip(1), odd_ones_skip.map([1, 3])
        return [some(one), some(many), any_way(one, many), total(many), add.map(many), add(one)]

    run = skipping.run(executor=executor)
    assert not run.ok and states(run, "some") == ["TriggerFailed"] * 2
    assert states(run, "any_way") == ["Success"] and states(run, "total") == ["Skipped"]
    assert states(run, "add") == ["Skipped"] * 3


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (lambda states: states[99], "the trigger <lambda> of asked failed: IndexError"),
        (lambda states: "perhaps", "answered 'perhaps', not True or False"),
        (lambda states: None, "answered None, not True or False"),
    ],
    ids=["raises", "text", "nothing"],
)
def test_a_trigger_of_ones_own_that_does_not_answer_fails_the_task(executor, trigger, told):
    """That task, and no other: each element of a map, for itself."""
    asked = task(name="asked", trigger=trigger)(lambda value: value)

    @flow
    def asking():
        return asked(same(1)), asked.map(same.map([1, 2])), same(2)

    run = asking.run(executor=executor)
    failed = [each for each in run.task_runs if each.name == "asked"]
    assert [str(each.state) for each in failed] == ["Failed"] * 3
    assert all(told in str(each.error) for each in failed)
    assert states(run, "same") == ["Success"] * 4


def test_upstreams_that_failed_or_were_skipped_are_their_errors_and_none(executor):
    """To a task that runs all the same; in the list of a mapped one the skipped are left out."""

    @task(trigger="all_finished", skip_on_upstream_skip=False)
    def told(*values):
        return [repr(value) for value in values]

    @flow
    def gathering():
        failed, skipped = odd_ones_fail(1), odd_ones_skip(1)
        return told(failed, skipped, same(0)), told(odd_ones_fail.map([0, 1]), odd_ones_skip.map([0, 1]))

    run = gathering.run(executor=executor)
    assert run.result == (
        ["ValueError('1 is odd')", "None", "0"],
        ["[0, ValueError('1 is odd')]", "[0]"],
    )


# Maps, and parts of results.


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


# Callables of every kind.


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
    """Methods of each kind, partials, lambdas, closures, objects with state and builtins; called and mapped."""
    offset = 100

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
        ]

    assert kinds.run(executor=executor).result == [
        [6, [3, 6], 4, 12],
        [4, [2], 6, [3], ("Scale", 1)],
        [32, [2, 4]],
        [101, 10, [5, 10]],
        [9, 4, ["A", "B"], {"a": 1}],
    ]


def test_odd_values(executor):
    """None, an exception as a value and NotImplemented are values; a generator is none, and says whose it was."""

    @task
    def generated():
        return (number for number in range(3))

    @flow
    def odd():
        return [same(None), same(ValueError("a value")), same([None]), same(NotImplemented)]

    nothing, error, listed, other = odd.run(executor=executor).result
    assert nothing is None and error.args == ("a value",) and listed == [None] and other is NotImplemented
    run = flow(lambda: [generated(), same(1)]).run(executor=executor)
    assert [str(each.state) for each in run.task_runs] == ["Failed", "Success"]
    assert "generated" in str(run.error) and "generator" in str(run.error)
