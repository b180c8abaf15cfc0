"""Puts the arguments of a recorded call together. It does so on the driver or on a worker.

Arguments may hold results of other nodes, nested in lists, tuples, dicts and sets. Recording turns them into
*templates*: nested tuples `(kind, held)` of builtins alone.
Three plans, from the fastest to the most general, say how a call gets its arguments:

    CONSTANTS   `args` and `kwargs` are the arguments
    RESULTS     every argument is the value of a node, and there are no named ones: `args` holds the nodes' ids
    TEMPLATES   `args` and `kwargs` hold templates
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

CONSTANTS, RESULTS, TEMPLATES = range(3)

CONST, RESULT, LIST, TUPLE, SET, FROZENSET, DICT, RECORD = range(8)
"""The kinds of template: a constant, the value of a node, and the containers that hold at least one of those."""

Template = tuple[Any, ...]


def fill(template: Template, value_of: Callable[[int], Any]) -> Any:
    """The value that a template stands for; `value_of(id)` is the value of a node."""
    kind, held = template[0], template[1]
    if kind == CONST:
        return held
    if kind == RESULT:
        return value_of(held)
    if kind == DICT:
        return {key: fill(item, value_of) for key, item in held}
    items = [fill(item, value_of) for item in held]
    if kind == LIST:
        return items
    if kind == RECORD:
        return template[2](*items)
    return (tuple if kind == TUPLE else set if kind == SET else frozenset)(items)


def results_in(template: Template) -> set[int]:
    """The ids of the nodes whose values a template holds."""
    kind, held = template[0], template[1]
    if kind == CONST:
        return set()
    if kind == RESULT:
        return {held}
    items = (item for _, item in held) if kind == DICT else held
    return set().union(*(results_in(item) for item in items))


def filled(step: Any, local: dict[int, Any], source: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a single call, from the templates of its step."""
    value_of = local_or_source(local, source)
    args = [fill(template, value_of) for template in step.args]
    return args, {name: fill(template, value_of) for name, template in step.kwargs.items()}


def local_or_source(local: dict[int, Any], source: Sequence[Any]) -> Callable[[int], Any]:
    """What gives the value of a node: one made or given in this batch, else one of the source."""

    def value_of(id: int) -> Any:
        return local[id] if id in local else source[id]

    return value_of


def arguments(
    step: Any, spread: list[Any], local: dict[int, Any], source: Sequence[Any]
) -> Iterator[tuple[Sequence[Any], dict[str, Any]]]:
    """The arguments of each element: the spread ones put among those that are the same for all."""
    if not step.kwargs and len(step.spread) == len(step.args):
        yield from ((items, {}) for items in zip(*spread, strict=False))
        return
    whole = {
        place: template
        for place, template in [*enumerate(step.args), *step.kwargs.items()]
        if place not in step.spread
    }

    value_of = local_or_source(local, source)
    fixed = {place: fill(template, value_of) for place, template in whole.items()}
    for items in zip(*spread, strict=False):
        placed = fixed | dict(zip(step.spread, items, strict=True))
        yield [placed[at] for at in range(len(step.args))], {name: placed[name] for name in step.kwargs}
