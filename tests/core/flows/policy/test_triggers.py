"""Triggers: rules over the states of the upstream task runs."""

import pytest

from turgo.errors import TaskPolicyError
from turgo.flows.policy import triggers
from turgo.flows.policy.triggers import some_failed, some_successful, trigger_named
from turgo.records.states import TaskState

GOOD, BAD, SKIPPED = TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED
CASES = {
    "good": [GOOD, GOOD],
    "bad": [BAD, TaskState.CRASHED],
    "mixed": [GOOD, BAD, GOOD, TaskState.TIMED_OUT],
    "skips": [SKIPPED, SKIPPED],
    "partly": [SKIPPED, GOOD],
    "none": [],
}
ALLOWED = {
    "all_successful": {"good", "skips", "partly", "none"},
    "all_finished": set(CASES),
    "always_run": set(CASES),
    "all_failed": {"bad", "none"},
    "any_successful": {"good", "mixed", "skips", "partly"},
    "any_failed": {"bad", "mixed"},
    "not_all_skipped": {"good", "partly"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_each_named_trigger_allows_what_its_name_says(name):
    """Skipped counts as success; timed out and crashed count as failed."""
    trigger = trigger_named(name)
    assert {case for case, states in CASES.items() if trigger.allows(states)} == ALLOWED[name]
    assert trigger is getattr(triggers, name) and trigger.name == name


@pytest.mark.parametrize(
    ("trigger", "allowed"),
    [
        (some_successful(at_least=2), {"good", "mixed", "skips", "partly"}),
        (some_successful(at_least=3), set()),
        (some_successful(at_least=0.5), {"good", "mixed", "skips", "partly", "none"}),
        (some_successful(at_least=1.0), {"good", "skips", "partly", "none"}),
        (some_failed(at_least=1), {"bad", "mixed"}),
        (some_failed(at_least=0.6), {"bad", "none"}),
        (some_failed(at_least=0), set(CASES)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_some_counts_task_runs_or_takes_a_share_of_them(trigger, allowed):
    """A whole number counts, a float is a share."""
    assert {case for case, states in CASES.items() if trigger.allows(states)} == allowed


@pytest.mark.parametrize("at_least", [-1, -0.1, 1.5, True])
def test_a_share_above_one_and_negative_numbers_are_refused(at_least):
    """The message shows both forms."""
    for make in (some_successful, some_failed):
        with pytest.raises(TaskPolicyError, match="at_least="):
            make(at_least=at_least)


def test_a_callable_over_the_states_is_a_trigger():
    """It is called by the name of its function."""

    def odd_number(states):
        return len(states) % 2 == 1

    trigger = trigger_named(odd_number)
    assert trigger.name == "odd_number" and trigger.allows([GOOD]) and not trigger.allows([])
    assert trigger_named(trigger) is trigger


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda states: states[5], r"the trigger <lambda> of report failed: IndexError"),
        (lambda states: len(states), "the trigger <lambda> of report answered 0, not True or False"),
        (lambda states: "no", "answered 'no'"),
        (lambda: True, "failed: TypeError"),
    ],
)
def test_a_callable_that_answers_neither_yes_nor_no_is_told_of(answer, told):
    """With its name and that of the task; whoever asks makes that a failure of the task."""
    with pytest.raises(TaskPolicyError, match=told):
        trigger_named(answer).lets_run([], "report")


def test_booleans_of_numpy_are_answers():
    """As a trigger may well count with it."""
    numpy = pytest.importorskip("numpy")
    trigger = trigger_named(lambda states: numpy.mean([state is GOOD for state in states]) > 0.5)
    assert trigger.lets_run([GOOD], "report") is True and trigger.lets_run([BAD], "report") is False


def test_an_unknown_name_is_refused_with_the_nearest():
    """And with all that there are."""
    with pytest.raises(
        TaskPolicyError, match=r"no trigger 'all_sucessful'; did you mean 'all_successful'\? |.*There"
    ):
        trigger_named("all_sucessful")
