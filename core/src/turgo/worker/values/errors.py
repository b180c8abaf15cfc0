"""Pickles errors as they are. That includes class, attributes, notes, cause, context and the members of groups.

    error ── reduced ──> make(class, arguments), restore(error, attributes, lineage)

No `__init__` of the error's class is called, as it may take other arguments than those that the error shows. What
another library has registered for the pickling of errors has no effect. Tracebacks are sent as text, beside the error.
"""

from __future__ import annotations

import contextlib
import types
from collections.abc import Callable
from typing import Any

DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType)
HIDDEN = frozenset({"args", "exceptions", "message", "__dict__", "__weakref__"})


class _Named:
    """A function of this module, pickled by its name: a worker without turgo has it under that name as well."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any) -> Any:
        return globals()[self.name](*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (f"__import__({__name__!r}, None, None, ['x']).{self.name}", {})


def reduced(error: BaseException, keep: Callable[[Any], bool] | None = None) -> tuple[Any, ...]:
    """How an error is pickled.

    keep: whether a member of it can be pickled; what cannot is left out, and a note names it. Without it all is kept.
    """
    arguments: tuple[Any, ...] = error.args
    if isinstance(error, BaseExceptionGroup):
        arguments = error.message, list(error.exceptions)
    attributes, members = dict(vars(error)), _members(error)
    lineage = (error.__cause__, error.__context__, error.__suppress_context__)
    if keep is not None:
        left_out = [name for held in (attributes, members) for name, value in held.items() if not keep(value)]
        notes = [f"left out, as it cannot be pickled: {_named(error, name)}" for name in left_out]
        attributes = {name: value for name, value in attributes.items() if name not in left_out}
        members = {name: value for name, value in members.items() if name not in left_out}
        if not isinstance(error, BaseExceptionGroup):
            shown = {at: repr(each) for at, each in enumerate(arguments) if not keep(each)}
            notes += [f"shown only, as it cannot be pickled: args[{at}]" for at in shown]
            arguments = tuple(shown.get(at, each) for at, each in enumerate(arguments))
        if notes:
            attributes["__notes__"] = [*attributes.get("__notes__", ()), *notes]
    return (
        _Named("make"),
        (type(error), arguments),
        (attributes, members, lineage),
        None,
        None,
        _Named("restore"),
    )


def _named(error: BaseException, name: str) -> str:
    return f"{name} (a {type(getattr(error, name, None)).__name__})"


def _members(error: BaseException) -> dict[str, Any]:
    """What an error holds outside of its `__dict__`: in slots, and in the fields of builtin classes."""
    found: dict[str, Any] = {}
    for cls in type(error).__mro__:
        for name, descriptor in vars(cls).items():
            if isinstance(descriptor, DESCRIPTORS) and name not in HIDDEN and not name.startswith("__"):
                with contextlib.suppress(Exception):
                    found.setdefault(name, getattr(error, name))
    return {
        name: value for name, value in found.items() if value is not None
    }  # OSError shows a None that is set


def make(cls: type[BaseException], arguments: tuple[Any, ...]) -> BaseException:
    """An error of a class with these arguments, by the constructor of the builtin class that it is made of."""
    builtin: Any = next(each for each in cls.__mro__ if each.__module__ == "builtins")
    error: BaseException = builtin.__new__(cls, *arguments)
    if not isinstance(error, BaseExceptionGroup):
        error.args = tuple(arguments)
    return error


def restore(
    error: BaseException, state: tuple[dict[str, Any], dict[str, Any], tuple[Any, Any, bool]]
) -> None:
    """Give an error its attributes, its cause and its context."""
    attributes, members, (cause, context, suppressed) = state
    for name, value in members.items():
        with contextlib.suppress(Exception):  # one that is computed, and cannot be set
            setattr(error, name, value)
    error.__dict__.update(attributes)
    error.__cause__ = cause
    error.__context__ = context
    error.__suppress_context__ = suppressed
