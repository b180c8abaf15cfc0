"""Validators of attrs for seconds, whole numbers and flags. Tasks, flows and delays use them for their options.

Each has a `form`, in which the option is written where it is given: `flow(timeout=0)`, with the form `flow({})`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from turgo.errors import TaskPolicyError

MAX_WAIT_SECONDS = 366 * 24 * 3600
"""Seconds; what would wait longer is a mistake, and the clocks of some systems cannot."""

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def is_seconds(value: Any) -> bool:
    """Whether a value is a number of seconds that a clock can wait."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= MAX_WAIT_SECONDS


def is_whole(value: Any, least: int) -> bool:
    """Whether a value is a whole number, `least` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def seconds(form: str = "{}") -> Validator:
    """Admits a number of seconds, also 0."""
    return _validator(is_seconds, f"a number of seconds, from 0 to {MAX_WAIT_SECONDS} (a year)", form)


def time_limit(form: str = "{}") -> Validator:
    """Admits a number of seconds above 0, and None."""
    return _validator(
        lambda value: value is None or (is_seconds(value) and value > 0),
        "a number of seconds above 0 (at most a year), or None for no limit",
        form,
    )


def whole(least: int, form: str = "{}", *, of: str = "a whole number", optional: bool = False) -> Validator:
    """Admits a whole number, `least` or more, and None if it is optional. of: what the message calls it."""
    return _validator(
        lambda value: (optional and value is None) or is_whole(value, least),
        f"{of}, {least} or more{', or None' if optional else ''}",
        form,
    )


def flag(form: str = "{}") -> Validator:
    """Admits True and False, and nothing that is like them."""
    return _validator(lambda value: isinstance(value, bool), "True or False", form)


def _validator(admits: Callable[[Any], bool], expected: str, form: str) -> Validator:
    def validate(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not admits(value):
            raise TaskPolicyError(f"{form.format(f'{attribute.name}={value!r}')}: give {expected}")

    return validate
