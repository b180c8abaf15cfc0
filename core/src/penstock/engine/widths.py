"""Widths: what the elements of a mapped node are made of, and how many of them that makes. Pure."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from penstock.engine.remote import Remote
from penstock.engine.states import CACHED, SKIPPED, SUCCESS
from penstock.errors import ParameterError
from penstock.flows.graph import Node
from penstock.flows.mapping import length_of, too_wide
from penstock.flows.templates import CONST
from penstock.ledger import Failure
from penstock.states import TaskState

if TYPE_CHECKING:
    from penstock.engine.schedule import Schedule


def sources_of(schedule: Schedule, node: Node, closed: Sequence[int]) -> tuple[int, list[Any]] | None:
    """The width of a node, and what it is spread over: sequences, or ids of the mapped nodes that it follows.

    closed: nodes that it follows and that have no elements. None if a source is not there, cannot be spread or has too
    many elements; the node is over then, with no elements.
    """
    sources: list[Any] = []
    for place in node.spread or ():
        kind, held = (node.args[place] if isinstance(place, int) else node.kwargs[place])[:2]
        if kind == CONST or (held in schedule.mapped and held in node.follows):
            sources.append(held)
        elif held in closed or schedule.states[held] not in (SUCCESS, CACHED):
            skipped = schedule.states[held] == SKIPPED and node.task.policy.skip_on_upstream_skip
            schedule.end((node.id, None), TaskState.SKIPPED if skipped else TaskState.TRIGGER_FAILED, None)
            return None
        else:
            value = _here_or_counted(schedule, schedule.values[held])
            elements = value if type(value) is Remote else _elements_of(value, schedule.max_map_width)
            if elements is None:
                _fail(schedule, node, _not_spread(node, place, value))
                return None
            sources.append(elements)
    width = min(schedule.mapped[each].width if type(each) is int else length_of(each) for each in sources)
    if width > schedule.max_map_width:
        _fail(schedule, node, too_wide(node.task.name, width, schedule.max_map_width))
        return None
    return width, sources


def _here_or_counted(schedule: Schedule, value: Any) -> Any:
    """A value that is to be spread; one that is elsewhere comes here if nobody knows how many elements it has."""
    if type(value) is Remote and value.width is None:
        schedule.bring([value])
    return value.home[0] if type(value) is Remote and value.home else value


def _elements_of(value: Any, most: int) -> Sequence[Any] | None:
    """What a value is spread into, at least as far as one more than `most`; None if it cannot be."""
    cls = type(value)  # and not by isinstance, as an object may say that it is a list and have no length
    if issubclass(cls, (list, tuple, range)):
        return value  # type: ignore[no-any-return]
    if issubclass(cls, (str, bytes)):
        return None
    try:
        return list(islice(value, most + 1))
    except Exception:  # noqa: BLE001  (a user's own iterator may raise anything)
        return None


def _not_spread(node: Node, place: int | str, value: Any) -> ParameterError:
    return ParameterError(
        f"{node.task.name}.map() cannot spread its argument {place!r}: {reprlib.repr(value):.80} "
        "is no collection of elements",
        parameter=str(place),
    )


def _fail(schedule: Schedule, node: Node, error: ParameterError) -> None:
    schedule.ledger.failures[node.id, None] = Failure(TaskState.FAILED, error)
    schedule.end((node.id, None), TaskState.FAILED, error)
