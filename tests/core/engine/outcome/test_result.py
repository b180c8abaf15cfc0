"""How a run ends: its state, and the error that says why."""

import attrs
import pytest

from turgo import Skip, flow, task
from turgo.engine.outcome.result import end_run
from turgo.errors import GraphError, TaskFailedError, TaskPolicyError
from turgo.records.flow_run import FlowRun
from turgo.records.states import RunState
from turgo.records.task_runs import TaskRuns

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def same(value):
    return value


@task
def odd(value):
    if value == 0:
        raise Skip("zero")
    if value % 2:
        raise ValueError(f"odd {value}")
    return value


def error_of(body):
    run = flow(body).run(executor="local")
    assert run.state is RunState.FAILED
    with pytest.raises(TaskFailedError) as caught:
        _ = run.result
    return caught.value


def test_the_error_names_the_task_and_its_cause():
    """A single call that was returned."""
    error = error_of(lambda: odd(3))
    assert str(error) == "odd (value=3) is Failed: ValueError: odd 3"
    assert (error.task, error.index, error.state) == ("odd", None, "Failed")
    assert isinstance(error.__cause__, ValueError)


def test_the_error_names_the_element_that_failed_first_in_order_and_no_skipped_one():
    """Of a map in which some are skipped and some failed."""
    error = error_of(lambda: odd.map([0, 2, 3, 5]))
    assert str(error) == "odd[2] (value=3) is Failed: ValueError: odd 3"
    assert (error.task, error.index) == ("odd", 2)


def test_the_error_goes_up_to_the_task_that_failed_by_itself():
    """Through calls and elements that were not run for it, to the very element that is followed."""
    assert (
        str(error_of(lambda: same(same(odd(3)))))
        == "same is TriggerFailed, since odd (value=3) is Failed: ValueError: odd 3"
    )
    assert str(error_of(lambda: same.map(same.map(odd.map([2, 4, 7]))))) == (
        "same[2] is TriggerFailed, since odd[2] (value=7) is Failed: ValueError: odd 7"
    )
    assert str(error_of(lambda: same(odd.map([0, 2, 3])))) == (
        "same is TriggerFailed, since odd[2] (value=3) is Failed: ValueError: odd 3"
    )


def test_the_reason_of_an_element_is_the_element_it_follows_and_not_an_earlier_failure():
    """Where earlier failures of the same map were dealt with."""

    @task(trigger="all_finished")
    def forgive(value):
        return value if isinstance(value, int) else 0

    def body():
        first = odd.map([3, 2, 5])
        kept = forgive.map(first)
        return [kept, same.map(first)]

    error = error_of(body)
    assert str(error) == "same[0] is TriggerFailed, since odd[0] (value=3) is Failed: ValueError: odd 3"


def test_a_map_over_what_failed_tells_of_it_too():
    """Its width was never known, so it is one task run."""
    error = error_of(lambda: same.map(odd(3)))
    assert str(error) == "same is TriggerFailed, since odd (value=3) is Failed: ValueError: odd 3"
    assert error.index is None


def test_a_trigger_that_was_not_met_by_success_is_told_as_such():
    """There is no task that failed by itself."""

    @task(trigger="any_failed")
    def alarm(value):
        return value

    error = error_of(lambda: alarm(same(1)))
    assert str(error) == "alarm is TriggerFailed" and error.__cause__ is None


def test_the_first_that_was_returned_goes_before_others():
    """The error is of what the result needs."""

    def body():
        odd.with_options(name="other")(5)
        return [same(1), odd(3)]

    assert error_of(body).task == "odd"


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def test_an_error_that_cannot_say_what_it_is_ends_the_run_like_any_other():
    """The run says so."""

    @task
    def mute():
        raise MuteError

    error = error_of(lambda: mute())
    assert str(error) == "mute is Failed: MuteError: <its message cannot be shown: RuntimeError('no words')>"


@task
def recovered(values):
    return values


def test_the_tasks_that_a_flow_names_decide_and_no_others():
    """By name or as tasks, one or several, every call of each; neither leaves nor what is returned count then."""
    lenient = recovered.with_options(trigger="all_finished", name="lenient")

    def body():
        failed = odd(3)
        return lenient(failed)

    def with_a_leaf():
        odd(3)
        return same(1)

    assert flow(body).run(executor="local").ok
    assert not flow(with_a_leaf).run(executor="local").ok
    for reference in (same, "same", [same], ["same"], (same, "same")):
        run = flow(reference=reference)(with_a_leaf).run(executor="local")
        assert run.state is RunState.SUCCESS and run.result == 1 and run.error is None
    for reference in (odd, [lenient, "odd"]):
        run = flow(reference=reference)(body).run(executor="local")
        assert run.state is RunState.FAILED and str(run.error) == "odd (value=3) is Failed: ValueError: odd 3"
        assert isinstance(run.result, ValueError)


def test_one_failed_call_or_element_of_a_named_task_fails_the_run():
    """Also where others of its name succeeded; skipped ones are no failure."""
    assert flow(reference="odd")(lambda: [odd.map([0, 2]), odd(4)]).run(executor="local").ok
    run = flow(reference="odd")(lambda: same([odd(4), odd.map([2, 5])])).run(executor="local")
    assert not run.ok and run.error.index == 1


def test_a_run_may_succeed_without_a_result():
    """What it returns failed, and other tasks decide: the state is Success, asking for the result raises."""
    succeeding = flow(reference=[same], name="succeeding")(lambda: [same(1), odd(3)])
    run = succeeding.run(executor="local")
    assert run.ok and run.state is RunState.SUCCESS
    with pytest.raises(TaskFailedError, match=r"odd \(value=3\) is Failed: ValueError: odd 3"):
        _ = run.result
    with pytest.raises(TaskFailedError, match=r"odd .* is Failed"):
        succeeding()


def test_a_named_task_that_failed_is_told_of_before_one_that_was_returned():
    """It is what decided."""
    body = flow(reference=[same], name="both")(lambda: [odd(3), same(odd(5)), odd(7)])
    run = body.run(executor="local")
    assert str(run.error) == "same is TriggerFailed, since odd (value=5) is Failed: ValueError: odd 5"


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("sme", "reference='sme' of the flow named is no task that it called; did you mean 'same'"),
        ([same, "zzz"], r"reference='zzz' .* no task that it called. It called odd, same"),
        (recovered, "reference='recovered'"),
    ],
)
def test_a_named_task_that_the_flow_did_not_call_is_an_error_where_it_is_recorded(reference, told):
    """Before anything runs."""
    with pytest.raises(GraphError, match=told):
        flow(reference=reference, name="named")(lambda: same(odd(3))).record()


@pytest.mark.parametrize("reference", [3, [3], [same, None], None, same.fn])
def test_what_names_no_task_is_refused_where_the_flow_is_made(reference):
    """Neither a task nor a name."""
    with pytest.raises(TaskPolicyError, match="reference="):
        flow(reference=reference)


def test_a_run_that_fails_fast_ends_with_the_failure_that_ended_it(driven):
    """Not with the first in the graph, and not with what was cancelled for it."""

    def body():
        return [same(1), odd(2), odd(3)]

    hand = driven(body)
    hand.graph.options = attrs.evolve(hand.graph.options, fail_fast=True)
    for _ in range(2):
        hand.take()
    hand.fail(1)
    hand.schedule.cancel()
    run = FlowRun(id="x", flow="fast", executor="local", task_runs=TaskRuns(hand.ledger))
    end_run(run, hand.graph, hand.progress)
    assert (
        run.state is RunState.FAILED and str(run.error) == "odd (value=2) is Failed: ValueError: on purpose"
    )
    assert hand.states == ["Cancelled", "Failed", "Cancelled"]
