"""Branches, triggers and skips do the same on every executor."""

import sys
from pathlib import Path

import cloudpickle
import pytest

from turgo import Skip, case, flow, merge, some_failed, some_successful, task, unmapped
from turgo.records.states import TaskState
from turgo.registry.source_files import load_source

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

small = load_source(Path(__file__).with_name("small_tasks.py"))
same, add, upto, total = small.same, small.add, small.upto, small.total


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


def test_skips_pass_downstream_and_leave_lists(executor):
    """A skipped element is left out of the list, skips what follows it, and fails nothing."""

    @flow
    def skipping():
        evens = odd_ones_skip.map(range(6))
        more = add.map(evens, unmapped(1))
        return [evens, total(evens), more, odd_ones_skip(1), add(odd_ones_skip(3))]

    run = skipping.run(executor=executor)
    assert run.ok
    assert run.result == [[0, 2, 4], 6, [1, 3, 5], None, None]


def test_triggers_and_order(executor):
    """`any_failed` runs for a failure only, `all_finished` gets the error as its argument, `after` orders."""

    @task(trigger="any_failed")
    def alarm(value):
        return f"alarm: {type(value).__name__}"

    @task(trigger="all_finished")
    def anyway(value):
        return type(value).__name__

    @flow
    def triggered():
        bad, good = odd_ones_fail(3), odd_ones_fail(2)
        return [
            alarm(bad),
            anyway(bad),
            anyway(alarm(good)),
            add.after(bad).with_options(trigger="all_failed")(1, 1),
        ]

    run = triggered.run(executor=executor)
    assert run.result == ["alarm: ValueError", "ValueError", "NoneType", 2]
    assert run.ok
