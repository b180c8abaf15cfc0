"""Templates are the arguments of a recorded call. A node's number stands where a result was.

    [1, fetch("a")]    ->    (LIST, ((CONST, 1), (RESULT, 0)))

The search goes through lists, tuples, sets, frozensets, slices and the values of dicts. A result anywhere else is
refused, as its value could not be put there. `turgo.worker.arguments` has the kinds, and fills templates on workers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turgo.errors import CycleError, ForeignResultError
from turgo.flows.mapping import refuse_mark, unmapped
from turgo.flows.misplaced import insides_of, refuse_hidden
from turgo.flows.results import Recording, Result
from turgo.worker.arguments import CONST, DICT, FROZENSET, LIST, RECORD, RESULT, SET, TUPLE, Template

PLAIN_TYPES = frozenset({int, float, str, bytes, bool, type(None), complex})
"""The types of values that can hold no result."""

_KINDS: Mapping[type, int] = {list: LIST, tuple: TUPLE, set: SET, frozenset: FROZENSET}


def template_of(value: Any, place: str, recorder: Recording, inside: tuple[int, ...] = ()) -> Template:
    """The template of `value`, in which every result of `recorder` stands for its node.

    place: where the value is, for messages; inside: the ids of the containers around it.
    Raises ForeignResultError for a result of another flow, CycleError for a container that holds itself, GraphError
    for a result in a place where it cannot be replaced by its value, and ParameterError for an `unmapped` in any place
    but a map.
    """
    cls = type(value)
    if cls in PLAIN_TYPES:
        return (CONST, value)
    if cls is Result:
        if value._recorder is not recorder:
            raise ForeignResultError(
                f"{place} is {value!r}, recorded by another call of a flow ({value._recorder.flow}); "
                "a result can be used only inside the call that recorded it"
            )
        return (RESULT, value._node)
    if cls is slice:
        parts = tuple(template_of(part, place, recorder) for part in (value.start, value.stop, value.step))
        return (CONST, value) if all(part[0] == CONST for part in parts) else (RECORD, parts, slice)
    if not issubclass(cls, (list, tuple, set, frozenset, dict)):  # an object may only say that it is one
        if cls is unmapped:
            refuse_mark(value, place)
        refuse_hidden(insides_of(value), f"{place} is a {cls.__name__} that")
        return (CONST, value)
    if id(value) in inside:
        raise CycleError(f"{place} contains itself")
    return _container(value, place, recorder, (*inside, id(value)))


def _container(value: Any, place: str, recorder: Recording, inside: tuple[int, ...]) -> Template:
    if PLAIN_TYPES.issuperset(map(type, value)) and (
        not isinstance(value, dict) or PLAIN_TYPES.issuperset(map(type, value.values()))
    ):
        return (CONST, value)  # most are so, and some have a million elements
    if isinstance(value, dict):
        refuse_hidden(value, f"{place} has a key that is or")
        pairs = tuple(
            (key, template_of(item, f"{place}[{key!r}]", recorder, inside)) for key, item in value.items()
        )
        return (DICT, pairs) if any(item[0] != CONST for _, item in pairs) else (CONST, value)
    items = tuple(template_of(item, f"{place}[{at}]", recorder, inside) for at, item in enumerate(value))
    if all(item[0] == CONST for item in items):
        return (CONST, value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return (RECORD, items, type(value))
    return (next(kind for cls, kind in _KINDS.items() if isinstance(value, cls)), items)
