"""The conditions of a call: triggers, skips, cases; and merges."""

import pytest

from turgo import Skip, case, flow, merge, task
from turgo.records.states import RunState, TaskState


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


@pytest.mark.parametrize("trigger", ["any_failed", "all_failed", "any_successful", "all_finished"])
def test_a_trigger_is_asked_although_all_is_well(driven, trigger):
    """`any_failed` does not run after success; an empty map has neither failures nor successes."""
    asked = two.with_options(trigger=trigger)
    flow = driven(lambda: [asked(one()), asked(one.map([])), asked.map(one.map([1]))])
    while not flow.schedule.done:
        flow.succeed(flow.take())
    after_success = {"any_failed": "TriggerFailed", "all_failed": "TriggerFailed"}.get(trigger, "Success")
    after_nothing = {"any_failed": "TriggerFailed", "any_successful": "TriggerFailed"}.get(trigger, "Success")
    assert flow.states == ["Success", after_success, after_nothing, "Success", after_success]


def test_a_case_that_is_not_taken_skips_its_calls_before_any_trigger_is_asked(driven):
    """Also a mapped node, as a whole, whose width is never found then."""

    def body():
        with case(one(), 1):
            one.with_options(trigger="all_finished").map([1, 2])

    flow = driven(body)
    flow.succeed(flow.take())
    ((guard, _, _),) = flow.take()
    flow.fail(guard, state=TaskState.SKIPPED)
    assert flow.states == ["Success", "Skipped", "Skipped"] and flow.schedule.done


def test_an_upstream_that_was_skipped_skips_unless_the_task_wants_to_run(driven):
    """`skip_on_upstream_skip=False` asks the trigger instead, to which a skip is a success."""
    eager = one.with_options(skip_on_upstream_skip=False)
    flow = driven(lambda: [two(one()), eager(one())])
    first = flow.take()
    second = flow.take()
    assert (first, second) == ([(0, -1, -1)], [(2, -1, -1)])
    flow.fail(0, state=TaskState.SKIPPED)
    flow.fail(2, state=TaskState.SKIPPED)
    assert flow.states == ["Skipped", "Skipped", "Skipped", "Pending"]
    assert flow.take() == [(3, -1, -1)]


def test_a_trigger_that_raises_fails_its_own_call(driven):
    """The run goes on; the failure is the trigger's error."""

    def broken(states):
        raise ZeroDivisionError("in the trigger")

    flow = driven(lambda: [one.with_options(trigger=broken)(one()), one()])
    flow.run()
    assert flow.states == ["Success", "Failed", "Success"]
    assert isinstance(flow.ledger.failures[1, None].error.__cause__, ZeroDivisionError)


def test_a_merge_has_the_value_of_the_first_branch_that_was_not_skipped(driven):
    """No call is made for it; where all branches were skipped it is skipped itself."""
    flow = driven(lambda: merge(one(), one()))
    first, second = flow.take(), flow.take()
    flow.fail(first[0][0], state=TaskState.SKIPPED)
    flow.succeed(second, "second")
    assert flow.states == ["Skipped", "Success", "Success"] and flow.result == "second"
    flow = driven(lambda: merge(one(), one()))
    for pieces in (flow.take(), flow.take()):
        flow.fail(pieces[0][0], state=TaskState.SKIPPED)
    assert flow.states == ["Skipped"] * 3 and flow.schedule.done


@pytest.mark.usefixtures("inline_as_local")
@pytest.mark.parametrize(
    ("key", "state", "value"),
    [
        (0, "Success", 0),
        (1, "Skipped", None),
        (2, "TriggerFailed", None),
        (3, "Success", 3),
        (-1, "Success", 3),
        (-3, "Skipped", None),
        (4, "Failed", None),
        (-5, "Failed", None),
        ("a", "Failed", None),
        (slice(0, 2), "Success", [0]),
        (slice(3, None), "Success", [3]),
        (slice(1, 3), "TriggerFailed", None),
        (slice(1, 2), "Success", []),
        (slice(9, None), "Success", []),
    ],
)
def test_an_element_of_a_map_is_the_one_of_its_index(key, state, value):
    """Skipped with it, not there if that one failed; a slice leaves skipped ones out; no call is made for it."""

    @task
    def element(number):
        if number == 1:
            raise Skip
        return number // (number != 2)

    @flow
    def picks():
        return element.map(range(4))[key]

    run = picks.run(executor="local")
    picked = run.task_runs[-1]
    assert (picked.name, str(picked.state), picked.attempts) == ("item", state, ())
    assert run.state is RunState.FAILED  # as another element failed, and nothing else tells of it
    if state == "Success":
        assert run.result == value
    if state == "Failed":
        assert isinstance(picked.error, TypeError if key == "a" else IndexError)
        assert str(picked.error) == f"element has 4 elements, and no [{key!r}]"
    if state == "TriggerFailed":
        told = run.explain(picked).splitlines()
        assert told[0] == "item is TriggerFailed: the element that it takes is not there."
        assert told[1].startswith("element[2] (number=2) is Failed: ZeroDivisionError")
    if state == "Skipped":
        assert run.explain(picked).splitlines()[1].startswith("element[1] is Skipped: Skip")


@pytest.mark.usefixtures("inline_as_local")
def test_what_takes_an_element_goes_with_it():
    """The index may be a result, and the ends of a slice; of a map that never had elements none is there."""

    @task
    def gives(what):
        if what is Skip:
            raise Skip
        if what is None:
            raise ValueError
        return what

    @flow
    def picks():
        numbers = one.map([5, 6, 7])
        good = two(numbers[gives(1)], numbers[: gives(2)])
        bad = [one(numbers[gives(None)]), one(numbers[gives(Skip)])]
        return good, bad, one(one.map(gives(None))[0]), one(one.map(gives(Skip))[0]), one(numbers)

    run = picks.run(executor="local")
    (pair,) = run.values("two")
    assert pair == (6, [5, 6])
    states = [str(each.state) for each in run.task_runs if each.name == "item"]
    assert states == ["Success", "Success", "TriggerFailed", "Skipped", "TriggerFailed", "Skipped"]
    assert run.values("one")[-1] == [5, 6, 7]
