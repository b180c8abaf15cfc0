"""Finds the argument that keeps a batch from being pickled. Names the part of it in the words of the task's author.

argument rows[2].lock (a lock) of measure[7] cannot be pickled: cannot pickle '_thread.lock' object
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any

import cloudpickle

from turgo.errors import ValueNotPortableError
from turgo.flows.graph import Node
from turgo.worker.arguments import CONST, CONSTANTS, DICT, RESULT, RESULTS, TEMPLATES, Template, fill
from turgo.worker.batch import BatchPiece
from turgo.worker.values.pickles import culprit


def unportable(
    pieces: Iterable[BatchPiece], value_of: Callable[[int], Any], error: Exception
) -> ValueNotPortableError:
    """What is reported of a batch that cannot be pickled.

    pieces: of a Shipment; value_of: the value of a node; error: why, if it is none of the arguments.
    """
    for piece in pieces:
        node = piece.step
        for place, value, task in _arguments(node, piece.low, piece.columns, value_of):
            try:
                cloudpickle.dumps(value)
            except Exception as own:  # noqa: BLE001  (user data, whose pickling may raise anything)
                part = culprit(value, _named(node, place))
                return ValueNotPortableError(f"argument {part} of {task} cannot be pickled: {own}")
    return ValueNotPortableError(f"a batch cannot be pickled: {error}")


def unportable_constants(node: Node, dumps: Callable[[Any], Any]) -> Iterator[str]:
    """What cannot be pickled of what a flow itself hands to a call, in sentences; of results nothing is known yet.

    dumps: pickles as for a worker, and raises if that cannot be.
    """
    places: list[tuple[int | str, Any]] = [*enumerate(node.args), *node.kwargs.items()]
    for place, held in places:
        for value in (
            [held] if node.plan == CONSTANTS else _constants_in(held) if node.plan == TEMPLATES else ()
        ):
            try:
                dumps(value)
            except Exception as error:  # noqa: BLE001  (user data, whose pickling may raise anything)
                part = culprit(value, _named(node, place))
                yield f"argument {part} of {node.task.name} cannot be pickled: {error}"


def _constants_in(template: Template) -> Iterator[Any]:
    kind, held = template[0], template[1]
    if kind == CONST:
        yield held
    elif kind != RESULT:
        for item in (item for _, item in held) if kind == DICT else held:
            yield from _constants_in(item)


def _arguments(
    node: Node, low: int, columns: Sequence[Any] | None, value_of: Callable[[int], Any]
) -> Iterator[tuple[int | str, Any, str]]:
    """Where an argument stands, what it is, and whose it is: of a task, or of one element of a map."""
    name, spread = node.task.name, node.spread or ()
    single = name if node.index is None else f"{name}[{node.index}]"
    places: list[tuple[int | str, Any]] = [*enumerate(node.args), *node.kwargs.items()]
    for place, held in places:
        if place in spread:
            column = (columns or ())[spread.index(place)]
            if type(column) is not int:  # else it is made in the batch
                yield from ((place, value, f"{name}[{low + at}]") for at, value in enumerate(column))
        elif node.plan == CONSTANTS:
            yield place, held, single
        else:
            yield place, value_of(held) if node.plan == RESULTS else fill(held, value_of), single


def _named(node: Node, place: int | str) -> str:
    """The parameter that an argument is given to: `rows`, or `args[1]` where it is one of any number."""
    if isinstance(place, str):
        return place
    kinds = inspect.Parameter
    names: list[str] = []
    for parameter in node.task.signature.parameters.values():
        if parameter.kind is kinds.VAR_POSITIONAL:
            return names[place] if place < len(names) else f"{parameter.name}[{place - len(names)}]"
        names.append(parameter.name)
    return names[place]


def globals_of(fn: Any, own: Mapping[str, ModuleType]) -> Iterator[tuple[str, str, Any]]:
    """The globals that a function names, and those of the functions of the flow among them; the deepest first."""
    ahead, found = [inspect.unwrap(fn)], list[tuple[str, str, Any]]()
    seen: set[int] = set()
    while ahead:
        each = ahead.pop()
        code = getattr(each, "__code__", None)
        if code is None or id(each) in seen or each.__module__ not in own:
            continue
        seen.add(id(each))
        for name in _names(code):
            if name in each.__globals__:
                value = each.__globals__[name]
                inner = inspect.unwrap(value) if callable(value) else value
                if hasattr(inner, "__code__"):
                    ahead.append(inner)
                else:
                    found.append((each.__name__, name, value))
    return iter(found[::-1])


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
