"""Labels of calls, in the author's words: `@task(label="{path.name}")` is a format string over the parameters.

It is checked when the task is made. It is put together on the driver, for those calls alone that are shown.
"""

from __future__ import annotations

import functools
import inspect
import string
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from turgo.errors import TaskPolicyError
from turgo.flows.shown_values import one_line
from turgo.names import did_you_mean, nearest

LABEL_CHARACTERS = 100
"""How long a label gets."""

_FORMATTER = string.Formatter()


def check_label(task: str, label: str, fn: Callable[..., Any], signature: inspect.Signature) -> None:
    """Raise TaskPolicyError for a label that is no format string, or names what is no parameter of the function."""
    known = {**_held_by(fn), **dict.fromkeys(signature.parameters)}
    try:
        names = list(_names_in(label))
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        # {a, {1}, {a.__class__.b}, {a.__class__[b]}, {a:{a:{a: …
        raise TaskPolicyError(f"label={label!r} is no format string: {one_line(str(error))}") from None
    for name in names:
        if name not in known:
            hint = did_you_mean(nearest(name, known)) or "."
            raise TaskPolicyError(
                f"label={label!r}: {task}{signature} has no parameter {name!r}{hint} "
                'A label is made of parameters: "{path.name}", "{row[id]:>5}"'
            )


def made_label(label: str, fn: Callable[..., Any], arguments: Mapping[str, Any]) -> str:
    """The label of a call. Raises whatever the arguments raise as they are looked at.

    arguments: by name; each is asked for only if the label names it.
    """
    return one_line(_FORMATTER.vformat(label, (), _Named(_held_by(fn), arguments)), LABEL_CHARACTERS)


def _names_in(label: str) -> Iterator[str]:
    """The names that a format string begins its fields with, those in the widths of fields too."""
    for _, field, spec, conversion in _FORMATTER.parse(label):
        if field is not None:
            if conversion not in (None, "r", "s", "a"):
                raise ValueError(f"there is no conversion !{conversion}")
            _, name = _FORMATTER.get_field(field, (_Anything(),), defaultdict(_Anything))
            yield str(name)
            yield from _names_in(spec or "")


def _held_by(fn: Callable[..., Any]) -> dict[str, Any]:
    """What a partial gives its function: the instance, for a task that is a method."""
    if not isinstance(fn, functools.partial):
        return {}
    try:
        return dict(inspect.signature(fn.func).bind_partial(*fn.args, **fn.keywords).arguments)
    except (TypeError, ValueError):  # a builtin without a signature
        return {}


class _Anything:
    """Has every attribute and every item."""

    def __getattr__(self, name: str) -> _Anything:
        return self

    __getitem__: Callable[[_Anything, Any], _Anything] = __getattr__


class _Named(dict[str, Any]):
    """Arguments that are looked up when they are asked for."""

    def __init__(self, held: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        super().__init__(held)
        self._arguments = arguments

    def __missing__(self, name: str) -> Any:
        return self._arguments[name]
