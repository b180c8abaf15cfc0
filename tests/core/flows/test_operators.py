"""`case` and `merge`: tasks that run only if a value is such, and what came of whichever branch that was."""

import pytest

from turgo import case, flow, merge, task
from turgo.errors import ForeignResultError, GraphError, ParameterError, Skip

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def same(value):
    return value


@task
def fail():
    raise ValueError("on purpose")


@task
def nothing(*values):
    return None


@task(skip_on_upstream_skip=False, trigger="all_finished")
def stubborn(*values):
    return "ran"


@task
def skip(why="no rows"):
    raise Skip(why)


def go(body, *args):
    return flow(body).run(*args, executor="local")


def states(run, name):
    return [str(each.state) for each in run.task_runs if each.name == name]


def test_only_the_branch_of_the_value_runs():
    """The others are Skipped, and their guards say why."""

    def body(kind):
        found = same(kind)
        with case(found, "table"):
            rows = same.with_options(name="read")("rows")
        with case(found, "image"):
            pixels = same.with_options(name="read")("pixels")
        return merge(rows, pixels)

    for kind, result in (("table", "rows"), ("image", "pixels")):
        run = go(body, kind)
        assert run.ok and run.result == result
        assert sorted(states(run, "read")) == ["Skipped", "Success"]
    guards = [each for each in run.task_runs if each.name == "case"]
    assert (
        isinstance(guards[0].error, Skip) and str(guards[0].error) == "the condition is 'image', not 'table'"
    )


def test_a_branch_whose_value_is_none_is_a_branch_that_was_taken():
    """Also if the one that was skipped comes first."""

    def body(taken):
        with case(same(taken), 1):
            one = nothing()
        with case(same(taken), 2):
            two = same("two")
        return merge(one, two), merge(two, one, "neither")

    assert go(body, 1).result == (None, None)
    assert go(body, 2).result == ("two", "two")
    run = go(body, 3)
    assert run.ok and run.result == (None, "neither")
    assert states(run, "merge") == ["Skipped", "Success"]
    assert (
        str(next(each for each in run.task_runs if each.name == "merge").error) == "all branches were skipped"
    )


def test_the_first_that_was_not_skipped_is_the_one():
    """Where more than one branch was taken."""

    def body():
        with case(same(1), 1):
            one = same("one")
        with case(same(2), 2):
            two = same("two")
        return merge(one, two), merge(two, one)

    assert go(body).result == ("one", "two")


def test_all_that_is_recorded_inside_is_skipped():
    """Maps, items, what follows inside, what follows outside, tasks of flows that are called inside."""

    @flow
    def inner(value):
        return same(same(value))

    def body():
        outside = same([1, 2])
        with case(same(1), 2):
            mapped = same.map([1, 2, 3])
            chained = same.map(mapped)
            dynamic = same.map(outside)
            reduced = same(chained)
            listed = same.map([same(1), same(2)])
            item = outside[0]
            deep = inner(3)
        after = same.with_options(name="after")
        return [
            after(mapped),
            after.map(dynamic),
            after(reduced),
            after(listed),
            after(item),
            after(deep),
        ], outside

    run = go(body)
    assert run.ok and set(states(run, "after")) == {"Skipped"}
    assert states(run, "same").count("Success") == 2
    assert set(states(run, "item")) == {"Skipped"}
    assert run.result == ([None] * 6, [1, 2])


def test_a_branch_comes_before_what_a_task_says_of_skips_and_triggers():
    """A task that runs whatever happened above it does not run in a branch that is not taken."""

    def body(taken):
        with case(same(taken), 1):
            first = same(1)
            stubborn(first)
            stubborn.map([first])
            stubborn()
            stubborn.map([1, 2])
        return stubborn(first)

    run = go(body, 2)
    assert states(run, "stubborn") == ["Skipped"] * 4 + ["Success"]
    assert states(go(body, 1), "stubborn") == ["Success"] * 6


@pytest.mark.parametrize("trigger", ["all_failed", "any_failed", "any_successful", "not_all_skipped"])
def test_a_trigger_sees_nothing_of_the_branch(trigger):
    """The guard is no upstream: what the trigger counts are the task's own."""

    def body():
        failed = fail()
        with case(same(1), 1):
            inside = nothing.with_options(name="inside", trigger=trigger)(failed)
            alone = nothing.with_options(name="alone", trigger=trigger)()
        return inside, alone

    run = go(body)
    expected = "Success" if trigger in ("all_failed", "any_failed") else "TriggerFailed"
    assert states(run, "inside") == [expected] and states(run, "alone") == ["Success"]


def test_branches_within_branches():
    """An inner one is taken only if the outer one is, whatever its own condition says."""

    def body(outer, inner):
        with case(same(outer), 1):
            first = same("outer")
            with case(same(inner), 1):
                second = same("inner")
                third = stubborn()
            fourth = same("again")
        return merge(second, first, "none"), merge(third, "not run"), merge(fourth, "not run")

    assert go(body, 1, 1).result == ("inner", "ran", "again")
    assert go(body, 1, 2).result == ("outer", "not run", "again")
    assert go(body, 2, 1).result == ("none", "not run", "not run")


def test_a_merge_inside_a_branch_belongs_to_it():
    """It is skipped with it, although it would have a constant to fall back on."""

    def body():
        with case(same(1), 2):
            inside = merge(same(1), "constant")
        return merge(inside, "outside")

    assert go(body).result == "outside"


def test_a_mapped_branch_is_merged_as_a_list():
    """One that is empty is a branch that was taken, one that was not taken is not."""

    def body(taken):
        with case(same(taken), 1):
            many = same.map([1, 2])
        with case(same(taken), 2):
            none = same.map([])
        return merge(none, many)

    assert go(body, 1).result == [1, 2]
    assert go(body, 2).result == []
    run = go(body, 3)
    assert run.ok and run.result is None and states(run, "merge") == ["Skipped"]


def test_a_branch_that_failed_fails_the_merge():
    """Also if another one, that comes first, brought a value."""

    def body():
        with case(same(1), 1):
            good = same("good")
            bad = nothing(fail())
        return merge(good, bad)

    run = go(body)
    assert not run.ok and states(run, "merge") == ["TriggerFailed"]
    assert "ValueError: on purpose" in str(run.error)


def test_a_condition_that_failed_or_was_skipped():
    """Nothing inside runs; a failure is no skip, so the merge does not fall back on another branch."""

    def body(condition):
        with case(condition(), 1):
            inside = nothing.with_options(name="inside")()
            also = stubborn()
        return merge(inside, also, "constant")

    failed, skipped = go(body, fail), go(body, skip)
    assert states(failed, "inside") == states(failed, "stubborn") == ["TriggerFailed"]
    assert not failed.ok and states(failed, "merge") == ["TriggerFailed"]
    assert states(skipped, "inside") == states(skipped, "stubborn") == ["Skipped"]
    assert skipped.ok and skipped.result == "constant"


def test_a_condition_that_is_known_and_a_value_that_is_not():
    """Either may be a constant or a result."""

    def body(size):
        with case(size, same("big")):
            found = same("yes")
        with case(size, None):
            no_size = same("none")
        return merge(found, no_size, "no")

    assert [go(body, size).result for size in ("big", None, "small")] == ["yes", "none", "no"]


def test_tasks_are_tied_to_a_branch_only_where_nothing_ties_them_already():
    """What follows a task inside, and would be skipped with it, needs no second edge."""

    def body():
        with case(same(1), 1):
            first = same(1)
            second = same(first)
            same.map(same.map([1]))
            stubborn(second)

    graph = flow(body).record()
    assert graph.guards == {2: 1, 4: 1, 6: 1}
    assert [node.depends for node in graph.nodes] == [(), (0,), (1,), (2,), (1,), (), (3, 1)]


def test_an_error_in_the_body_comes_through():
    """The block hides nothing."""

    def body():
        with case(same(1), 1):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        flow(body).record()


def test_what_makes_no_sense_is_refused_at_recording():
    """Outside a flow, without results, with results in collections, with a list of values as the condition."""

    def inside(body):
        return lambda: flow(body).record()

    def spread():
        with case(same.map([1, 2]), 1):
            same(1)

    kept = []
    flow(lambda: kept.append(same(1)) or kept[0]).record()
    for attempt, error, told in (
        (lambda: case(1, 1).__enter__(), GraphError, "outside a flow; there, write `if`"),
        (lambda: merge(1), GraphError, "outside a flow"),
        (inside(lambda: (same(1), merge())), ParameterError, "needs the results of branches"),
        (inside(lambda: (same(1), merge(1, 2))), ParameterError, "needs the results of branches"),
        (inside(lambda: merge(same(1), [same(2)])), ParameterError, "one by one"),
        (inside(lambda: merge([same(1), same(2)])), ParameterError, "one by one"),
        (inside(spread), GraphError, "to branch for each element"),
        (inside(lambda: merge(same(1), kept[0])), ForeignResultError, "only inside"),
    ):
        with pytest.raises(error, match=told):
            attempt()


def test_a_million_elements_of_a_branch_that_is_not_taken_cost_nothing():
    """They are skipped as one."""

    def body():
        with case(same(1), 2):
            same.map(range(1_000_000))

    run = go(body)
    assert run.ok and len(run.task_runs) == 3


def test_merges_upon_merges():
    """As a loop makes them: so many that they would not fit onto the stack; skipped ones too."""

    def body(taken):
        found = same("first")
        for number in range(3000):
            if number == 5:
                with case(same(taken), 1):
                    found = same("fifth")
            found = merge(found)
        return found

    assert go(body, 1).result == "fifth"
    run = go(body, 2)
    assert run.ok and run.result is None and states(run, "merge").count("Skipped") == 2995


def test_a_map_over_what_was_merged():
    """Its width is that of the branch that was taken."""

    def body(taken):
        with case(same(taken), 1):
            one = same.map([1, 2])
        with case(same(taken), 2):
            two = same([3, 4, 5])
        return same.map(merge(one, two)), same(merge(one, two))[0]

    assert go(body, 1).result == ([1, 2], 1)
    assert go(body, 2).result == ([3, 4, 5], 3)


@pytest.mark.parametrize("taken", [1, 2])
@pytest.mark.parametrize("slow_condition", [False, True])
def test_a_map_inside_that_follows_a_map_outside(taken, slow_condition):
    """Whether the condition is known before the elements outside are over, or after; what follows is skipped too."""

    def body():
        outside = same.map(range(5))
        condition = same(taken)
        if slow_condition:
            condition = same.after(outside)(condition)
        with case(condition, 1):
            inside = same.with_options(name="inside").map(outside)
            further = same.with_options(name="further").map(inside)
            both = nothing.with_options(name="both").map(outside, [1, 2, 3])
        return merge(further, "none"), merge(both, "none"), outside

    run = go(body)
    assert run.ok
    expected = ([0, 1, 2, 3, 4], [None] * 3) if taken == 1 else ("none", "none")
    assert run.result == (*expected, [0, 1, 2, 3, 4])
    assert set(states(run, "further")) == ({"Success"} if taken == 1 else {"Skipped"})


def test_a_task_that_sorts_the_merged_list_sorts_its_own():
    """The list of the map that was merged stays as it is."""

    @task
    def reversed_in_place(values):
        values.sort(reverse=True)
        return list(values)

    def body():
        with case(same(1), 1):
            many = same.map([1, 2, 3])
        return reversed_in_place(merge(many)), many

    assert go(body).result == ([3, 2, 1], [1, 2, 3])
