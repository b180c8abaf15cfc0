"""`task.map(…)`: one run of a task for each element.

What an argument of `map` may be, and what it makes of the node:

    a list, a range, any iterable      its length is known now; an iterator is read as far as needed
    the result of a task               its length is known when that task is done
    the result of another `map`        element i follows element i, without waiting for the others
    a list that holds results          one node for each element, so that each waits for its own results only
    unmapped(x)                        the same for every element

With several of them, element i gets the i-th of each; the shortest decides how many there are. (Beside a list that
holds results, whose nodes are made at once, a length that is not known yet cannot decide: elements that it turns out
not to have fail.) A map may have so many elements and no more: `Graph.max_map_width`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any

from penstock.errors import ParameterError
from penstock.flows.graph import MappedNode
from penstock.flows.marks import unmapped
from penstock.flows.recording import Recorder
from penstock.flows.results import Result
from penstock.flows.templates import CONST, TEMPLATES, Template, results_in

if TYPE_CHECKING:
    from penstock.flows.task import Task


def record_map(
    recorder: Recorder, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Record `task.map(*args, **kwargs)`: a Result, or a list of Results when elements are results themselves."""
    task.check_arguments(args, kwargs)
    places: dict[int | str, Any] = dict(enumerate(args))
    places.update(kwargs)
    spread = {place: value for place, value in places.items() if not isinstance(value, unmapped)}
    if not spread:
        raise ParameterError(f"{task.name}.map() needs an argument to spread; all of them are unmapped")
    for place, value in spread.items():
        _check_collection(value, place, task.name)
    elements = _elements(spread, task.name, recorder.graph.max_map_width)
    fixed = {place: value.value for place, value in places.items() if isinstance(value, unmapped)}
    if any(_holds_results(recorder, values) for values in elements.values()):
        return _one_by_one(recorder, task, elements, fixed)
    return _as_one(recorder, task, elements, fixed)


def _check_collection(value: Any, place: int | str, task: str) -> None:
    """Raise ParameterError for what cannot be spread."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ParameterError(
            f"{task}.map() cannot spread its argument {place!r}: {value!r:.80} is not a collection of elements. "
            "Put it into a list, or wrap it in unmapped(…) if it is the same for every element",
            parameter=str(place),
        )


def _elements(
    spread: Mapping[int | str, Any], task: str, most: int
) -> dict[int | str, Result | Sequence[Any]]:
    """The elements of each argument, as many as may be needed. Raises ParameterError if there are too many.

    Collections decide with their length how much is taken of generators, which may have no end.
    """
    later = [value for value in spread.values() if isinstance(value, Result)]
    lengths = [length_of(value) for value in spread.values() if _is_sized(value)]
    unsized = [
        place for place, value in spread.items() if not isinstance(value, Result) and not _is_sized(value)
    ]
    width = min(lengths, default=most + 1)
    rows: list[tuple[Any, ...]] = []
    if unsized:
        width = min(width, most + 1)
        rows += islice(zip(*(spread[place] for place in unsized), strict=False), width)
        width = len(rows)
    if width > most and not (later and not unsized):
        raise too_wide(task, width, most)
    taken = dict(zip(unsized, zip(*rows, strict=True) if rows else [()] * len(unsized), strict=True))
    return {place: taken[place] if place in taken else _kept(value) for place, value in spread.items()}


def _is_sized(value: Any) -> bool:
    return isinstance(value, Sized) and not isinstance(value, Result)


def _kept(value: Any) -> Result | Sequence[Any]:
    """What the graph keeps of a collection: its elements as they are now; a range needs no copy."""
    return value if isinstance(value, (Result, range)) else tuple(value)


def length_of(value: Sized) -> int:
    """How many elements there are; a range may have more than `len` can count."""
    try:
        return len(value)
    except OverflowError:
        return sys.maxsize


def too_wide(task: str, width: int, most: int) -> ParameterError:
    """What is said of a map of more than `most` elements; width: how many were counted."""
    return ParameterError(
        f"{task}.map() has {width:,} elements or more, and {most:,} are the most that it may have. Raise that by "
        "flow(max_map_width=…) or the setting max_map_width, or let each call do more"
    )


def _holds_results(recorder: Recorder, values: Result | Sequence[Any]) -> bool:
    if isinstance(values, (Result, range)):
        return False
    return recorder.holds_results(values)


def _one_by_one(
    recorder: Recorder,
    task: Task[..., Any],
    elements: Mapping[int | str, Result | Sequence[Any]],
    fixed: Mapping[int | str, Any],
) -> list[Result]:
    known = [len(values) for values in elements.values() if not isinstance(values, Result)]
    results = []
    if min(known) > recorder.graph.max_map_width:
        raise too_wide(task.name, min(known), recorder.graph.max_map_width)
    for index in range(min(known)):
        chosen = {place: values[index] for place, values in elements.items()} | dict(fixed)
        args, kwargs = _split(chosen)
        results.append(recorder.call(task, args, kwargs, index))
    return results


def _as_one(
    recorder: Recorder,
    task: Task[..., Any],
    elements: Mapping[int | str, Result | Sequence[Any]],
    fixed: Mapping[int | str, Any],
) -> Result:
    templates: dict[int | str, Template] = {
        place: recorder.template(value, f"{place!r} of {task.name}.map()") for place, value in fixed.items()
    }
    follows: list[int] = []
    for place, values in elements.items():
        if isinstance(values, Result):
            templates[place] = recorder.template(values, f"{place!r} of {task.name}.map()")
            if values._mapped:
                follows.append(values._node)
        else:
            templates[place] = (CONST, values)
    args, kwargs = _split(templates)
    needed = set().union(*(results_in(template) for template in templates.values()))
    fixed_needs = set().union(*(results_in(templates[place]) for place in fixed))
    depends = tuple(sorted((needed - set(follows)) | fixed_needs))
    node = MappedNode(len(recorder.graph.nodes), task.plain, TEMPLATES, args, kwargs, depends)
    node.reads = tuple(sorted(fixed_needs))
    node.follows = tuple(dict.fromkeys(follows))
    node.spread = tuple(elements)
    recorder.graph.nodes.append(node)
    if task.upstream:
        recorder.order(node, task)
    return Result(recorder, node.id, True)


def _split(places: Mapping[int | str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments, apart."""
    positional = sorted(place for place in places if isinstance(place, int))
    return tuple(places[place] for place in positional), {
        place: value for place, value in places.items() if isinstance(place, str)
    }
