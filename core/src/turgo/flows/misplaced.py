"""Finds results where they cannot be. That is outside of a flow, or hidden where no value can be put in their place."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

from turgo.errors import ForeignResultError, GraphError
from turgo.flows.results import Result


def refuse_results(name: str, values: Iterable[object]) -> None:
    """Raise ForeignResultError if a task that is called outside a flow was given a recorded result."""
    found = next(_results_among(values, set()), None)
    if found is not None:
        raise ForeignResultError(
            f"{name} was called outside a flow with {found!r}; a result can be used only inside the flow "
            "that recorded it"
        )


def refuse_hidden(values: Iterable[object], where: str) -> None:
    """Raise GraphError if a result is where no value can be put in its place, so that the task would get the result."""
    found = next(_results_among(values, set()), None)
    if found is not None:
        raise GraphError(
            f"{where} holds {found!r}, where its value cannot be put in its place. Results are found as arguments and "
            "in lists, tuples, sets and the values of dicts; make such an object inside a task"
        )


def insides_of(value: object) -> Iterable[object]:
    """What an object holds that is no list, tuple, set or dict; for a function also what it was made with."""
    if issubclass(type(value), (functools.partial, MethodType, FunctionType)):
        return (*held_by(value), *contents_of(value))  # type: ignore[arg-type]
    return contents_of(value)


def contents_of(value: object) -> Iterable[object]:
    """What an object holds that is no list, tuple, set or dict: the fields of a record, the items of a deque."""
    if issubclass(type(value), (type, ModuleType)):
        return ()
    if type(value) is deque:
        return value
    if type(value) is MappingProxyType:
        return value.values()
    slots = getattr(type(value), "__dataclass_fields__", None)
    if slots is not None:
        return [getattr(value, name, None) for name in slots]
    try:  # past what the object makes of looking at it
        return object.__getattribute__(value, "__dict__").values()  # type: ignore[no-any-return]
    except AttributeError:
        return ()


def _results_among(values: Iterable[object], above: set[int]) -> Iterator[Result]:
    for value in values:
        if type(value) is Result:
            yield value
        elif isinstance(value, (list, tuple, set, frozenset, dict)) and id(value) not in above:
            yield from _results_among(
                value.values() if isinstance(value, dict) else value, above | {id(value)}
            )


def held_by(fn: Callable[..., Any]) -> Iterator[object]:
    """What a function was made with: the arguments of a partial, the instance of a method, what a closure is over."""
    if isinstance(fn, functools.partial):
        for part in (*fn.args, *fn.keywords.values()):
            yield from (part, *contents_of(part))
        yield from held_by(fn.func)
    yield from contents_of(getattr(fn, "__self__", None))
    for cell in getattr(fn, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it is empty yet
            continue
