"""Validators of options: what is refused, and in which words."""

import math

import attrs
import pytest

from turgo import exponential, flow, task
from turgo.errors import TaskPolicyError
from turgo.flows.policy.validators import MAX_WAIT_SECONDS, flag, seconds, time_limit, whole


@attrs.frozen
class Options:
    """One option of each kind, written as options of `turn(…)`."""

    delay: float = attrs.field(default=0.0, validator=seconds("turn({})"))
    limit: float | None = attrs.field(default=None, validator=time_limit("turn({})"))
    count: int = attrs.field(default=3, validator=whole(2, "turn({})"))
    most: int | None = attrs.field(default=None, validator=whole(1, "turn({})", of="how many", optional=True))
    fast: bool = attrs.field(default=False, validator=flag("turn({})"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"delay": -1}, "turn(delay=-1): give a number of seconds, from 0 to"),
        ({"delay": math.nan}, "turn(delay=nan): give a number of seconds"),
        ({"delay": MAX_WAIT_SECONDS + 1}, "(a year)"),
        ({"delay": True}, "turn(delay=True): give a number of seconds"),
        ({"delay": None}, "turn(delay=None)"),
        ({"limit": 0}, "turn(limit=0): give a number of seconds above 0 (at most a year), or None"),
        ({"limit": "3"}, "turn(limit='3')"),
        ({"count": 1}, "turn(count=1): give a whole number, 2 or more"),
        ({"count": 2.0}, "turn(count=2.0)"),
        ({"count": True}, "turn(count=True)"),
        ({"count": None}, "turn(count=None)"),
        ({"most": 0}, "turn(most=0): give how many, 1 or more, or None"),
        ({"fast": 1}, "turn(fast=1): give True or False"),
    ],
)
def test_what_makes_no_sense_is_refused_as_it_was_written(options, told):
    """With the option, the value and what is expected."""
    with pytest.raises(TaskPolicyError) as refused:
        Options(**options)
    assert told in str(refused.value)


def test_the_ends_of_what_is_admitted_are_admitted():
    """0 and a year, None where there may be no limit, the least whole number."""
    assert Options(delay=0, limit=0.001, count=2, most=1, fast=True).delay == 0
    assert Options(delay=MAX_WAIT_SECONDS, limit=MAX_WAIT_SECONDS).limit == MAX_WAIT_SECONDS
    assert Options(limit=None, most=None).most is None


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: task(timeout=0), "timeout=0: give a number of seconds above 0"),
        (lambda: flow(timeout=0), "flow(timeout=0): give a number of seconds above 0"),
        (lambda: exponential(first=-1), "exponential(first=-1): give a number of seconds, from 0"),
        (lambda: task(nout=0), "nout=0: give the number of values that the task returns, 1 or more"),
    ],
)
def test_tasks_flows_and_delays_say_it_alike(make, told):
    """Each in the form in which it is written."""
    with pytest.raises(TaskPolicyError) as refused:
        make()
    assert told in str(refused.value)
