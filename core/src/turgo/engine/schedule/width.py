"""Finds the width of a mapped node. Says what it is spread over, and how many elements that makes. Pure."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from itertools import islice
from typing import Any

from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.remote import RemoteValue
from turgo.errors import ParameterError
from turgo.flows.graph import Node
from turgo.flows.mapping import length_of, too_wide
from turgo.records.ledger import Failure
from turgo.records.states import PRESENT, SKIPPED, TaskState
from turgo.worker.arguments import CONST


def sources_of(progress: Progress, node: Node, closed: Sequence[int]) -> tuple[int, list[Any]] | None:
    """The width of a node, and what it is spread over: sequences, or ids of the mapped nodes that it follows.

    closed: nodes that it follows and that have no elements. None if a source is missing, cannot be spread or has too
    many elements; the node is ended then, with no elements.
    """
    sources: list[Any] = []
    for place in node.spread or ():
        kind, held = (node.args[place] if isinstance(place, int) else node.kwargs[place])[:2]
        if kind == CONST or (held in progress.mapped and held in node.follows):
            sources.append(held)
        elif held in closed or progress.states[held] not in PRESENT:
            skipped = progress.states[held] == SKIPPED and node.task.policy.skip_on_upstream_skip
            progress.end((node.id, None), TaskState.SKIPPED if skipped else TaskState.TRIGGER_FAILED, None)
            return None
        else:
            value = _here_or_counted(progress, progress.values[held])
            elements = value if type(value) is RemoteValue else _elements_of(value, progress.max_map_width)
            if elements is None:
                _fail(progress, node, _not_spread(node, place, value))
                return None
            sources.append(elements)
    width = min(progress.mapped[each].width if type(each) is int else length_of(each) for each in sources)
    if width > progress.max_map_width:
        _fail(progress, node, too_wide(node.task.name, width, progress.max_map_width))
        return None
    return width, sources


def _here_or_counted(progress: Progress, value: Any) -> Any:
    """A value that is to be spread; one that is remote is fetched if its number of elements is not known."""
    if type(value) is RemoteValue and value.width is None:
        progress.fetch([value])
    return value.home[0] if type(value) is RemoteValue and value.home else value


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


def _fail(progress: Progress, node: Node, error: ParameterError) -> None:
    progress.ledger.failures[node.id, None] = Failure(TaskState.FAILED, error)
    progress.end((node.id, None), TaskState.FAILED, error)
