"""The options of a flow: how the whole of a run is to go, whatever its tasks do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from penstock.bounds import flag, is_whole, time_limit, whole
from penstock.errors import TaskPolicyError
from penstock.names import did_you_mean, nearest


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


def flow_options(options: Mapping[str, Any]) -> FlowOptions:
    """The options by their names. Raises TaskPolicyError for one that no flow has, and for a value without sense."""
    names = ["name", "executor", "requires", *(field.name for field in attrs.fields(FlowOptions))]
    for name in options:
        if name not in names:
            hint = did_you_mean(nearest(name, names)) or "."
            raise TaskPolicyError(f"a flow has no option {name!r}{hint} There are {', '.join(names)}")
    return FlowOptions(**options)
