"""The policy of a task: how it is to be run, whatever its function does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from penstock.bounds import flag, seconds, time_limit, whole
from penstock.errors import TaskPolicyError
from penstock.executor import Executor
from penstock.names import did_you_mean, nearest
from penstock.registry import Asked
from penstock.retrying import Delay, RetryOn, checked_delay, checked_errors
from penstock.states import TaskState
from penstock.triggers import Trigger, all_successful, trigger_named

CacheKey = Literal["inputs"] | Callable[[Mapping[str, Any]], str]

NOUT = "the number of values that the task returns"

TriggerLike = str | Trigger | Callable[[Sequence[TaskState]], bool]


def _key(policy: Policy, attribute: attrs.Attribute[CacheKey | None], value: Any) -> None:
    if value is not None and value != "inputs" and not callable(value):
        raise TaskPolicyError(
            f'cache_key={value!r}: give "inputs", or a callable that makes a text of the arguments by name'
        )


def _expiry(policy: Policy, attribute: attrs.Attribute[float | None], value: Any) -> None:
    if value is not None:
        seconds()(policy, attribute, value)
        if policy.cache_key is None:
            raise TaskPolicyError(f"cache_expires={value!r} says nothing without a cache_key")


def _executor(policy: Policy, attribute: attrs.Attribute[Any], value: Any) -> None:
    is_class = isinstance(value, type) and issubclass(value, Executor)
    if value == "" or (
        value is not None and not is_class and not isinstance(value, (str, Mapping, Executor))
    ):
        raise TaskPolicyError(
            f"executor={value!r}: give a name, a class path, a mapping with 'use', a class or an executor"
        )


def _tags(value: Any) -> tuple[str, ...]:
    iterable = isinstance(value, Iterable) and not isinstance(value, str)
    if not iterable or not all(isinstance(tag, str) for tag in value):
        raise TaskPolicyError(f"tags={value!r}: give a list of strings")
    return tuple(value)


@attrs.frozen(kw_only=True)
class Policy:
    """How a task is to be run: the options of `@task`, which says what each of them is."""

    retries: int = attrs.field(default=0, validator=whole(0))
    retry_delay: Delay = attrs.field(default=0.0, converter=checked_delay)
    retry_on: RetryOn = attrs.field(default=None, converter=checked_errors)
    timeout: float | None = attrs.field(default=None, validator=time_limit())
    tags: tuple[str, ...] = attrs.field(default=(), converter=_tags)
    trigger: Trigger = attrs.field(default=all_successful, converter=trigger_named)
    skip_on_upstream_skip: bool = attrs.field(default=True, validator=flag())
    crash_retries: int = attrs.field(default=1, validator=whole(0))
    batch: bool = attrs.field(default=True, validator=flag())
    log_prints: bool = attrs.field(default=False, validator=flag())
    nout: int | None = attrs.field(default=None, validator=whole(1, of=NOUT, optional=True))
    executor: Asked | Executor | None = attrs.field(default=None, validator=_executor)
    cache_key: CacheKey | None = attrs.field(default=None, validator=_key)
    cache_expires: float | None = attrs.field(default=None, validator=_expiry)


def known_options(policy: dict[str, Any]) -> dict[str, Any]:
    """The options themselves. Raises TaskPolicyError for one that no task has."""
    names = [field.name for field in attrs.fields(Policy)]
    for name in policy:
        if name not in names:
            hint = did_you_mean(nearest(name, names)) or "."
            raise TaskPolicyError(f"a task has no option {name!r}{hint} It has {', '.join(names)}")
    return policy
