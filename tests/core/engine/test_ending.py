"""How a run ends: its state, and the error that says why."""

import pytest

from penstock import Skip, flow, task
from penstock.errors import TaskFailedError
from penstock.states import RunState

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
    assert str(error) == "odd is Failed: ValueError: odd 3"
    assert (error.task, error.index, error.state) == ("odd", None, "Failed")
    assert isinstance(error.__cause__, ValueError)


def test_the_error_names_the_element_that_failed_first_in_order_and_no_skipped_one():
    """Of a map in which some are skipped and some failed."""
    error = error_of(lambda: odd.map([0, 2, 3, 5]))
    assert str(error) == "odd[2] is Failed: ValueError: odd 3"
    assert (error.task, error.index) == ("odd", 2)


def test_the_error_goes_up_to_the_task_that_failed_by_itself():
    """Through calls and elements that were not run for it, to the very element that is followed."""
    assert (
        str(error_of(lambda: same(same(odd(3)))))
        == "same is TriggerFailed, since odd is Failed: ValueError: odd 3"
    )
    assert str(error_of(lambda: same.map(same.map(odd.map([2, 4, 7]))))) == (
        "same[2] is TriggerFailed, since odd[2] is Failed: ValueError: odd 7"
    )
    assert str(error_of(lambda: same(odd.map([0, 2, 3])))) == (
        "same is TriggerFailed, since odd[2] is Failed: ValueError: odd 3"
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
    assert str(error) == "same[0] is TriggerFailed, since odd[0] is Failed: ValueError: odd 3"


def test_a_map_over_what_failed_tells_of_it_too():
    """Its width was never known, so it is one task run."""
    error = error_of(lambda: same.map(odd(3)))
    assert str(error) == "same is TriggerFailed, since odd is Failed: ValueError: odd 3"
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
