"""How the arguments of a recorded call are put together: on the driver, or on a worker that has no penstock.

Arguments may hold results of other nodes, nested in lists, tuples, dicts and sets. Recording turns them into
*templates*: nested tuples `(kind, held)` of builtins alone. This module imports nothing but the standard library.
Three plans, from the fastest to the most general, say how a call gets its arguments:

    CONSTANTS   `args` and `kwargs` are the arguments
    RESULTS     every argument is the value of a node, and there are no named ones: `args` holds the nodes' ids
    TEMPLATES   `args` and `kwargs` hold templates
"""

from __future__ import annotations

from collections.abc import Callable
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
