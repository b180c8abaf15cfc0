"""Triggers: which states of its upstreams let a task run.

A trigger is given to `@task(trigger=…)` by name, as `"any_failed"`, or as one of the objects made here, as
`some_successful(at_least=3)`. It sees the states of all upstream task runs; a mapped one counts with every element.
A task without upstreams always runs. Skipped counts as success, as nothing went wrong there.

A task that runs although an upstream did not succeed gets, in the place of its value, the exception if it failed, and
None if it never ran. In the list of values of a mapped upstream the skipped elements are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import attrs

from turgo.errors import TaskPolicyError
from turgo.flows.policy.validators import is_whole
from turgo.names import did_you_mean, nearest
from turgo.records.states import TaskState

TriggerName = Literal[
    "all_successful",
    "all_finished",
    "always_run",
    "all_failed",
    "any_successful",
    "any_failed",
    "not_all_skipped",
]
"""The triggers that have a name."""


@attrs.frozen
class Trigger:
    """A rule over the states of the upstream task runs; `allows` says whether the task may run."""

    name: str
    allows: Callable[[Sequence[TaskState]], bool] = attrs.field(repr=False)

    def lets_run(self, states: Sequence[TaskState], task: str) -> bool:
        """What `allows` says. Raises TaskPolicyError if that is a user's own and fails, or says neither yes nor no."""
        try:
            answer = self.allows(states)
        except Exception as error:
            raise TaskPolicyError(
                f"the trigger {self.name} of {task} failed: {type(error).__name__}: {error}"
            ) from error
        if type(answer).__name__ not in ("bool", "bool_"):  # a boolean of numpy is one
            raise TaskPolicyError(
                f"the trigger {self.name} of {task} answered {answer!r:.80}, not True or False"
            )
        return bool(answer)


def _failed(states: Sequence[TaskState]) -> int:
    return sum(state.failed for state in states)


def _succeeded(states: Sequence[TaskState]) -> int:
    return len(states) - _failed(states)


def _skipped(states: Sequence[TaskState]) -> int:
    return sum(state is TaskState.SKIPPED for state in states)


def _enough(at_least: float, of: int) -> float:
    """A whole number counts task runs, a fraction below one is a share of them."""
    return at_least if isinstance(at_least, int) else at_least * of


def _checked(at_least: Any) -> float:
    share = isinstance(at_least, float) and 0 <= at_least <= 1
    if not share and not is_whole(at_least, 0):
        raise TaskPolicyError(
            f"at_least={at_least!r}: give a number of task runs (3), "
            "or a share of them as a float from 0 to 1 (0.5)"
        )
    return at_least  # type: ignore[no-any-return]


def some_successful(*, at_least: float) -> Trigger:
    """Run when so many upstream task runs succeeded: a number of them (3), or a share from 0.0 to 1.0."""
    needed = _checked(at_least)
    return Trigger(
        f"some_successful(at_least={at_least})",
        lambda states: _succeeded(states) >= _enough(needed, len(states)),
    )


def some_failed(*, at_least: float) -> Trigger:
    """Run when so many upstream task runs failed: a number of them (3), or a share from 0.0 to 1.0."""
    needed = _checked(at_least)
    return Trigger(
        f"some_failed(at_least={at_least})", lambda states: _failed(states) >= _enough(needed, len(states))
    )


all_successful = Trigger("all_successful", lambda states: not _failed(states))
"""Run when no upstream failed: the default."""

all_finished = Trigger("all_finished", lambda states: True)
"""Run when all upstreams are over, however they ended."""

always_run = attrs.evolve(all_finished, name="always_run")
"""The same as `all_finished`."""

all_failed = Trigger("all_failed", lambda states: not _succeeded(states))
"""Run when every upstream failed."""

any_successful = Trigger("any_successful", lambda states: _succeeded(states) > 0)
"""Run when at least one upstream succeeded."""

any_failed = Trigger("any_failed", lambda states: _failed(states) > 0)
"""Run when at least one upstream failed."""

not_all_skipped = Trigger(
    "not_all_skipped", lambda states: not _failed(states) and _skipped(states) < len(states)
)
"""Run when no upstream failed and not all of them were skipped."""

_NAMED = {
    trigger.name: trigger
    for trigger in (
        all_successful,
        all_finished,
        always_run,
        all_failed,
        any_successful,
        any_failed,
        not_all_skipped,
    )
}


def trigger_named(trigger: str | Trigger | Callable[[Sequence[TaskState]], bool]) -> Trigger:
    """The trigger that was meant: by name, as it is, or made of a callable over the upstream states.

    Raises TaskPolicyError for a name that is none.
    """
    if isinstance(trigger, Trigger):
        return trigger
    if isinstance(trigger, str):
        if trigger in _NAMED:
            return _NAMED[trigger]
        hint = did_you_mean(nearest(trigger, _NAMED)) or "."
        raise TaskPolicyError(
            f"there is no trigger {trigger!r}{hint} There are {', '.join(_NAMED)}, and in turgo.flows.policy.triggers "
            "some_successful(at_least=…) and some_failed(at_least=…)"
        )
    if callable(trigger):
        return Trigger(getattr(trigger, "__name__", repr(trigger)), trigger)
    raise TaskPolicyError(f"trigger={trigger!r} is neither a name, a trigger nor a callable")
