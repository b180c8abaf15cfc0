"""The policy of a task: how it is to be run, whatever its function does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from penstock.errors import TaskPolicyError
from penstock.states import TaskState
from penstock.triggers import Trigger, all_successful, trigger_named

LONGEST = 366 * 24 * 3600
"""Seconds; what would wait longer is a mistake, and the clocks of some systems cannot."""

TriggerLike = str | Trigger | Callable[[Sequence[TaskState]], bool]


def _whole(policy: Policy, attribute: attrs.Attribute[int], value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TaskPolicyError(f"{attribute.name}={value!r}: give a whole number, 0 or more")


def _seconds(policy: Policy, attribute: attrs.Attribute[float], value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST:
        raise TaskPolicyError(
            f"{attribute.name}={value!r}: give a number of seconds, from 0 to {LONGEST} (a year)"
        )


def _limit(policy: Policy, attribute: attrs.Attribute[float | None], value: Any) -> None:
    if value is not None:
        _seconds(policy, attribute, value)  # type: ignore[arg-type]
        if value == 0:
            raise TaskPolicyError("timeout=0: give a number of seconds above 0, or None for no limit")


def _tags(value: Any) -> tuple[str, ...]:
    iterable = isinstance(value, Iterable) and not isinstance(value, str)
    if not iterable or not all(isinstance(tag, str) for tag in value):
        raise TaskPolicyError(f"tags={value!r}: give a list of strings")
    return tuple(value)


@attrs.frozen(kw_only=True)
class Policy:
    """How a task is to be run.

    retries: how often a failed call is tried again; retry_delay: seconds to wait before that, without a worker.
    timeout: seconds that a call may take, or None.
    tags: labels; an executor may read some of them (`dask-resource:GPU=1`).
    trigger: which states of its upstreams let it run.
    skip_on_upstream_skip: whether it is skipped with an upstream.
    crash_retries: how often a call is tried again when the worker that ran it alone was lost.
    batch: whether its calls may travel together with others.
    """

    retries: int = attrs.field(default=0, validator=_whole)
    retry_delay: float = attrs.field(default=0.0, validator=_seconds)
    timeout: float | None = attrs.field(default=None, validator=_limit)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_tags)
    trigger: Trigger = attrs.field(default=all_successful, converter=trigger_named)
    skip_on_upstream_skip: bool = True
    crash_retries: int = attrs.field(default=1, validator=_whole)
    batch: bool = True


def known_options(policy: dict[str, Any]) -> dict[str, Any]:
    """The options themselves. Raises TaskPolicyError for one that no task has."""
    names = [field.name for field in attrs.fields(Policy)]
    for name in policy:
        if name not in names:
            raise TaskPolicyError(f"a task has no option {name!r}; it has {', '.join(names)}")
    return policy
