"""Retrying: how long a call waits before its next try, and after which errors there is one."""

import random

import pytest

from turgo import Skip, exponential, flow, task
from turgo.errors import TaskError, TaskPolicyError, TaskTimeoutError
from turgo.flows.policy.retries import checked_delay, checked_errors, delay_after, is_retried
from turgo.flows.policy.validators import MAX_WAIT_SECONDS
from turgo.records.states import TaskState

pytestmark = pytest.mark.usefixtures("inline_as_local")


class OddError(ConnectionError):
    """Of a constructor that pickle cannot call."""

    def __init__(self, host, port):
        super().__init__(f"{host}:{port}")


def tried(**policy):
    """How often a task that always raises `error` was called, and its task run."""
    error = policy.pop("error", ValueError("no"))
    calls = []

    @task(**policy)
    def fails():
        calls.append(1)
        raise error

    run = flow(lambda: fails(), name="tries").run(executor="local")
    return len(calls), run.task_runs[0]


def test_a_number_is_the_delay_before_every_retry():
    """Whole or not."""
    assert [delay_after(checked_delay(2.5), attempt) for attempt in (1, 2, 9)] == [2.5, 2.5, 2.5]


def test_a_sequence_gives_one_delay_after_the_other_and_the_last_one_from_then_on():
    """Any iterable of numbers will do."""
    for delays in ([1, 5, 30.0], (1, 5, 30.0), iter([1, 5, 30.0])):
        checked = checked_delay(delays)
        assert [delay_after(checked, attempt) for attempt in (1, 2, 3, 4, 50)] == [1, 5, 30.0, 30.0, 30.0]


def test_a_callable_gets_the_number_of_the_attempt_that_failed():
    """1 for the first."""
    assert [delay_after(lambda attempt: attempt * 10, attempt) for attempt in (1, 2, 3)] == [10, 20, 30]


def test_exponential_delays_grow_up_to_the_most():
    """Each is `factor` times the one before."""
    delays = exponential(first=0.5, factor=3, most=10, jitter=0)
    assert [delays(attempt) for attempt in (1, 2, 3, 4, 5, 1000, 10**6)] == [0.5, 1.5, 4.5, 10, 10, 10, 10]
    assert exponential(first=0)(10**6) == 0


def test_jitter_makes_a_delay_longer_or_shorter_by_at_most_its_share():
    """Differently each time, never beyond the most, and without touching the generator that tasks may have seeded."""
    random.seed(1)
    before = random.getstate()
    delays = exponential(first=10, factor=1, most=11, jitter=0.5)
    drawn = [delays(1) for _ in range(200)]
    assert all(5 <= seconds <= 11 for seconds in drawn)
    assert len(set(drawn)) > 20 and min(drawn) < 10 < max(drawn)
    assert delays.exact(1) == 10
    assert random.getstate() == before


@pytest.mark.parametrize(
    "options",
    [
        {"first": -1}, {"first": "1"}, {"factor": 0.5}, {"factor": float("nan")}, {"most": float("inf")},
        {"most": MAX_WAIT_SECONDS + 1}, {"jitter": 1.5}, {"jitter": -0.1}, {"jitter": True},
    ],
)  # fmt: skip
def test_exponential_refuses_numbers_without_sense(options):
    """By name."""
    with pytest.raises(TaskPolicyError, match=next(iter(options))):
        exponential(**options)


@pytest.mark.parametrize(
    "delay",
    [-1, True, None, "soon", b"1", [], [1, -1], ["1"], [None], {}, MAX_WAIT_SECONDS + 1, float("nan")],
)
def test_a_delay_without_sense_is_refused_where_the_task_is_made(delay):
    """Before anything runs."""
    with pytest.raises(TaskPolicyError, match="retry_delay="):
        task(retry_delay=delay)


@pytest.mark.parametrize("errors", [3, "ValueError", int, [], [int], [ValueError, "OSError"], [ValueError()]])
def test_errors_without_sense_are_refused_where_the_task_is_made(errors):
    """What is no exception type, and no callable."""
    with pytest.raises(TaskPolicyError, match="retry_on="):
        task(retry_on=errors)


@pytest.mark.parametrize(
    "delay", [lambda attempt: 1 / 0, lambda attempt: "soon", lambda attempt: -1, lambda: 1]
)
def test_a_delay_that_cannot_be_told_fails_the_task_and_says_why(delay):
    """After the one attempt; the task's own error is part of what is told."""
    calls, failed = tried(retries=3, retry_delay=delay)
    assert calls == 1 and failed.state is TaskState.FAILED
    assert isinstance(failed.error, TaskPolicyError) and "retry_delay(1)" in str(failed.error)
    assert "ValueError: no" in failed.traceback


def test_a_predicate_that_raises_fails_the_task_and_says_why():
    """With the task's own error, the predicate's, and the sentence that joins them."""
    calls, failed = tried(retries=3, retry_on=lambda error: error.status)
    assert calls == 1 and failed.state is TaskState.FAILED
    assert isinstance(failed.error, TaskPolicyError) and isinstance(failed.error.__cause__, AttributeError)
    assert str(failed.error).startswith("retry_on raised AttributeError")
    assert "ValueError: no" in failed.traceback


def test_a_predicate_that_raises_the_very_error_does_not_tie_a_knot():
    """The error is its own cause, and not its own context."""

    def again(error):
        raise error

    _, failed = tried(retries=3, retry_on=again)
    assert str(failed.error).startswith("retry_on raised ValueError: no")
    assert failed.error.__cause__.__context__ is None


@pytest.mark.parametrize(
    ("retry_on", "calls"),
    [
        (None, 3),
        (ValueError, 3),
        (Exception, 3),
        ([OSError, ValueError], 3),
        ({OSError, ValueError}, 3),
        (lambda error: "no" in str(error), 3),
        (OSError, 1),
        ((OSError, KeyError), 1),
        (lambda error: False, 1),
    ],
)
def test_a_task_is_tried_again_after_the_errors_that_it_names(retry_on, calls):
    """And fails at once with any other."""
    made, failed = tried(retries=2, retry_on=retry_on)
    assert made == calls == len(failed.attempts)
    assert failed.state is TaskState.FAILED and str(failed.error) == "no"


def test_a_skip_is_no_error_to_retry_on():
    """Although it is an exception."""
    calls, skipped = tried(retries=2, retry_on=Exception, error=Skip("nothing"))
    assert calls == 1 and skipped.state is TaskState.SKIPPED


def test_a_timeout_is_matched_as_the_error_that_the_records_hold():
    """By turgo's name, by Python's, and not by another."""
    error = TaskTimeoutError("slow took longer than 1 s", seconds=1.0)
    assert is_retried(checked_errors(TaskTimeoutError), error)
    assert is_retried(checked_errors(TimeoutError), error)
    assert not is_retried(checked_errors(ValueError), error)


def test_an_error_that_came_home_as_a_stand_in_is_matched_by_its_types_full_names():
    """As the error itself would be: by its own type or one that it derives from, not as the stand-in that it is."""
    names = [f"{cls.__module__}.{cls.__qualname__}" for cls in OddError.__mro__]
    stand_in = TaskError("db:1", type_name=names[0], bases=names[1:])
    for matching in (OddError, ConnectionError, OSError, Exception, [KeyError, OddError], TaskError):
        assert is_retried(checked_errors(matching), stand_in)
    for other in (KeyError, TimeoutError, RuntimeError):
        assert not is_retried(checked_errors(other), stand_in)


def test_a_class_that_exists_twice_is_one_type():
    """A module that is loaded again makes classes of the same names."""
    first, second = (type("Lost", (Exception,), {"__module__": "flows.census"}) for _ in range(2))
    assert is_retried(checked_errors(first), second("gone"))
