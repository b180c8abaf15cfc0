"""Constants that are large: sent to the workers once, to stay there, however many calls take them. Pure.

Sizes are judged by a glance, as nothing is to be pickled only to be weighed: by `nbytes` or the length, else by what
`sys.getsizeof` says.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.flows.graph import Node
from penstock.flows.templates import CONST, CONSTANTS, RESULT, RESULTS, TEMPLATES, Template

_NUMBERS = frozenset({int, float, complex, bool, type(None), range})
_ITEM = 8
"""Bytes that an element of a collection takes at the least."""

_LOOKED_AT = 64
"""Elements of a small collection that are looked at one by one, as each may be large."""


def hefty(value: Any, least: int, depth: int = 2) -> bool:
    """Whether a value takes at least so many bytes, as far as a glance can tell."""
    cls = type(value)
    if cls in _NUMBERS:
        return not least
    if cls in (str, bytes, bytearray):
        return len(value) >= least
    if cls in (list, tuple, set, frozenset, dict):
        return len(value) * _ITEM >= least or (depth > 0 and _any_hefty(value, least, depth - 1))
    try:
        size = getattr(value, "nbytes", None)
        return (size if isinstance(size, int) else sys.getsizeof(value)) >= least
    except Exception:  # noqa: BLE001  (the value's own code)
        return False


def _any_hefty(values: Any, least: int, depth: int) -> bool:
    if len(values) > _LOOKED_AT:
        return False
    items = values.values() if isinstance(values, dict) else values
    return any(hefty(item, least, depth) for item in items)


def constants_of(node: Node) -> Iterator[Any]:
    """The arguments of a node that are the same for each of its calls and no results of other nodes."""
    if node.plan == RESULTS:
        return
    spread = node.spread or ()
    for place, held in (*enumerate(node.args), *node.kwargs.items()):
        if node.plan == CONSTANTS:
            yield held
        elif held[0] == CONST and place not in spread:
            yield held[1]


def without_constants(
    plan: int, args: tuple[Any, ...], kwargs: Mapping[str, Any], swaps: Mapping[int, int]
) -> tuple[int, tuple[Any, ...], Mapping[str, Any]]:
    """A node's plan and arguments, with results in the place of constants. swaps: by a constant's id, the result's."""
    if plan == RESULTS:
        return plan, args, kwargs

    def swapped(held: Any) -> Template | None:
        template = (CONST, held) if plan == CONSTANTS else held
        if template is None or template[0] != CONST or id(template[1]) not in swaps:
            return template
        return (RESULT, swaps[id(template[1])])

    return TEMPLATES, tuple(map(swapped, args)), {name: swapped(held) for name, held in kwargs.items()}
