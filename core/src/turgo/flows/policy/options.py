"""The options of tasks and flows. A task's are its policy; a flow's say how its whole run is to go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import attrs

from turgo.errors import TaskPolicyError
from turgo.executor import Executor, ExecutorLike
from turgo.flows.policy.retries import Delay, RetryOn, checked_delay, checked_errors
from turgo.flows.policy.triggers import Trigger, TriggerName, all_successful, trigger_named
from turgo.flows.policy.validators import flag, is_whole, seconds, time_limit, whole
from turgo.names import did_you_mean, nearest
from turgo.records.states import TaskState

CacheKey = Literal["inputs"] | Callable[[Mapping[str, Any]], str]

NOUT = "the number of values that the task returns"

TriggerLike = TriggerName | Trigger | Callable[[Sequence[TaskState]], bool]


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


def _version(policy: Policy, attribute: attrs.Attribute[str | int | None], value: Any) -> None:
    if value is not None and type(value) not in (str, int):
        raise TaskPolicyError(f"version={value!r}: give a text or a whole number")


def _label(policy: Policy, attribute: attrs.Attribute[str | None], value: Any) -> None:
    if value is not None and (type(value) is not str or not value):
        raise TaskPolicyError(f'label={value!r}: give a format string over the parameters, "{{path.name}}"')


def _parameters(value: Any) -> tuple[str, ...]:
    iterable = isinstance(value, Iterable) and not isinstance(value, str)
    if not iterable or not all(isinstance(name, str) for name in value):
        raise TaskPolicyError(f"files={value!r}: give a list of names of parameters that hold paths")
    return tuple(value)


def _variables(value: Any) -> tuple[str, ...]:
    iterable = isinstance(value, Iterable) and not isinstance(value, str)
    if not iterable or not all(type(name) is str and name and not set(name) & set("=\0") for name in value):
        raise TaskPolicyError(f"env={value!r}: give a list of names of environment variables")
    return tuple(value)


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
    executor: ExecutorLike | None = attrs.field(default=None, validator=_executor)
    cache_key: CacheKey | None = attrs.field(default=None, validator=_key)
    cache_expires: float | None = attrs.field(default=None, validator=_expiry)
    label: str | None = attrs.field(default=None, validator=_label)
    version: str | int | None = attrs.field(default=None, validator=_version)
    files: tuple[str, ...] = attrs.field(default=(), converter=_parameters)
    env: tuple[str, ...] = attrs.field(default=(), converter=_variables)
    journal: bool = attrs.field(default=True, validator=flag())
    idempotent: bool = attrs.field(default=True, validator=flag())


def known_options(policy: dict[str, Any]) -> dict[str, Any]:
    """The options themselves. Raises TaskPolicyError for one that no task has."""
    names = [field.name for field in attrs.fields(Policy)]
    for name in policy:
        if name not in names:
            hint = did_you_mean(nearest(name, names)) or "."
            raise TaskPolicyError(f"a task has no option {name!r}{hint} It has {', '.join(names)}")
    return policy


def _limits(value: Any) -> Mapping[str, int]:
    if not isinstance(value, Mapping) or not all(isinstance(tag, str) for tag in value):
        raise TaskPolicyError(f"flow(limits={value!r}): give a mapping of tags to numbers, {{'db': 4}}")
    for tag, most in value.items():
        if not is_whole(most, 1):
            raise TaskPolicyError(f"flow(limits=…) of {tag!r} is {most!r}: give a whole number, 1 or more")
    return dict(value)


def _names(value: Any) -> tuple[str, ...]:
    given = (value,) if isinstance(value, str) or hasattr(value, "plain") else value
    names: list[Any] = (
        [getattr(each, "name", each) for each in given] if isinstance(given, Iterable) else [None]
    )
    if not all(isinstance(name, str) for name in names):
        raise TaskPolicyError(f"flow(reference={value!r}): give a list of tasks or of names of tasks")
    return tuple(names)


@attrs.frozen(kw_only=True)
class FlowOptions:
    """How a run of a flow is to go: options of `@flow`, which says what each of them is."""

    timeout: float | None = attrs.field(default=None, validator=time_limit("flow({})"))
    limits: Mapping[str, int] = attrs.field(factory=dict, converter=_limits)
    fail_fast: bool = attrs.field(default=False, validator=flag("flow({})"))
    reference: tuple[str, ...] = attrs.field(default=(), converter=_names)
    max_map_width: int | None = attrs.field(default=None, validator=whole(1, "flow({})", optional=True))

    def with_limits_of(self, inner: FlowOptions) -> FlowOptions:
        """These options, and the limits of a flow within this one, where this one sets none for the same tag."""
        return attrs.evolve(self, limits={**inner.limits, **self.limits}) if inner.limits else self


def known_flow_options(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options themselves. Raises TaskPolicyError for one that no flow has."""
    names = ["name", "executor", "requires", *(field.name for field in attrs.fields(FlowOptions))]
    for name in options:
        if name not in names:
            hint = did_you_mean(nearest(name, names)) or "."
            raise TaskPolicyError(f"a flow has no option {name!r}{hint} There are {', '.join(names)}")
    return options


def flow_options(options: Mapping[str, Any]) -> FlowOptions:
    """The options by their names. Raises TaskPolicyError for one that no flow has, and for a value without sense."""
    return FlowOptions(**known_flow_options(options))
