"""The policy of a task: how it is to be run, whatever its function does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from penstock.errors import TaskPolicyError
from penstock.executor import Executor
from penstock.names import did_you_mean, nearest
from penstock.registry import Asked
from penstock.retrying import LONGEST, Delay, RetryOn, checked_delay, checked_errors, is_seconds
from penstock.states import TaskState
from penstock.triggers import Trigger, all_successful, trigger_named

CacheKey = Literal["inputs"] | Callable[[Mapping[str, Any]], str]

TriggerLike = str | Trigger | Callable[[Sequence[TaskState]], bool]


def _whole(policy: Policy, attribute: attrs.Attribute[int], value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TaskPolicyError(f"{attribute.name}={value!r}: give a whole number, 0 or more")


def _seconds(policy: Policy, attribute: attrs.Attribute[float], value: Any) -> None:
    if not is_seconds(value):
        raise TaskPolicyError(
            f"{attribute.name}={value!r}: give a number of seconds, from 0 to {LONGEST} (a year)"
        )


def _limit(policy: Policy, attribute: attrs.Attribute[float | None], value: Any) -> None:
    if value is not None and (not is_seconds(value) or value == 0):
        raise TaskPolicyError(
            f"timeout={value!r}: give a number of seconds above 0 (at most a year), or None for no limit"
        )


def _values(policy: Policy, attribute: attrs.Attribute[int | None], value: Any) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise TaskPolicyError(f"nout={value!r}: give the number of values that the task returns, 1 or more")


def _key(policy: Policy, attribute: attrs.Attribute[CacheKey | None], value: Any) -> None:
    if value is not None and value != "inputs" and not callable(value):
        raise TaskPolicyError(
            f'cache_key={value!r}: give "inputs", or a callable that makes a text of the arguments by name'
        )


def _expiry(policy: Policy, attribute: attrs.Attribute[float | None], value: Any) -> None:
    if value is not None:
        _seconds(policy, attribute, value)  # type: ignore[arg-type]
        if policy.cache_key is None:
            raise TaskPolicyError(f"cache_expires={value!r} says nothing without a cache_key")


def _flag(policy: Policy, attribute: attrs.Attribute[bool], value: Any) -> None:
    if not isinstance(value, bool):
        raise TaskPolicyError(f"{attribute.name}={value!r}: give True or False")


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

    retries: int = attrs.field(default=0, validator=_whole)
    retry_delay: Delay = attrs.field(default=0.0, converter=checked_delay)
    retry_on: RetryOn = attrs.field(default=None, converter=checked_errors)
    timeout: float | None = attrs.field(default=None, validator=_limit)
    tags: tuple[str, ...] = attrs.field(default=(), converter=_tags)
    trigger: Trigger = attrs.field(default=all_successful, converter=trigger_named)
    skip_on_upstream_skip: bool = attrs.field(default=True, validator=_flag)
    crash_retries: int = attrs.field(default=1, validator=_whole)
    batch: bool = attrs.field(default=True, validator=_flag)
    log_prints: bool = attrs.field(default=False, validator=_flag)
    nout: int | None = attrs.field(default=None, validator=_values)
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
