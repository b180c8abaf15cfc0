"""`task.map(…)` spreads arguments over runs. Decides which ones are spread, and how many runs there are.

What an argument of `map` may be, and what it makes of the node:

    a list, a range, any iterable      its length is known now; an iterator is read as far as needed
    the result of a task               its length is known when that task is done
    the result of another `map`        element i follows element i, without waiting for the others
    a list that holds results          one node for each element, so that each waits for its own results only
    unmapped(x)                        the same for every element

With several of them, element i gets the i-th of each; the shortest decides how many there are. (Beside a list of
results the nodes are made at once, so another argument of unknown length cannot shorten the map: if it turns out
shorter, the surplus elements fail.) A map may have so many elements and no more: `Graph.max_map_width`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

import attrs

from turgo.errors import ParameterError
from turgo.flows.results import Result

T_co = TypeVar("T_co", covariant=True)

Place = int | str
"""Where an argument stands: its position, or its name."""

Elements = Result | Sequence[Any]
"""What one argument is spread over: a result, whose length is known later, or its elements."""


@attrs.frozen
class unmapped(Generic[T_co]):  # noqa: N801  (called like a function, as in `measure.map(paths, unmapped(options))`)
    """Wraps an argument of `map` that is the same for every element."""

    value: T_co


Each = Iterable[T_co] | unmapped[T_co]
"""What `map` takes for a parameter, to a type checker: elements of its type, or one value in `unmapped`."""


def refuse_mark(mark: unmapped[Any], place: str) -> None:
    """Raise ParameterError, as a mark has no meaning at `place`, and the task would get the mark itself."""
    raise ParameterError(
        f"{place} is unmapped({mark.value!r:.80}), which is an argument of map alone, as in "
        "task.map(values, unmapped(options)). Everywhere else write what is in it, without unmapped"
    )


class MapArguments(NamedTuple):
    """The arguments of one `map`, by their places. spread: over the elements; fixed: the same for each of them."""

    spread: Mapping[Place, Elements]
    fixed: Mapping[Place, Any]

    @property
    def known_width(self) -> int:
        """How many elements there are, as far as results do not decide that later."""
        return min(len(values) for values in self.spread.values() if not isinstance(values, Result))

    def of_element(self, index: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional and named arguments of one element."""
        return split_places(
            {place: values[index] for place, values in self.spread.items()} | dict(self.fixed)
        )


def map_arguments(task: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], most: int) -> MapArguments:
    """The arguments of `task.map(*args, **kwargs)`, at most `most` elements.

    Raises ParameterError if nothing is spread, for an argument that cannot be, and for too many elements.
    """
    places: dict[Place, Any] = dict(enumerate(args))
    places.update(kwargs)
    spread = {place: value for place, value in places.items() if not isinstance(value, unmapped)}
    if not spread:
        raise ParameterError(f"{task}.map() needs an argument to spread; all of them are unmapped")
    for place, value in spread.items():
        _check_collection(value, place, task)
    fixed = {place: value.value for place, value in places.items() if isinstance(value, unmapped)}
    return MapArguments(_elements(spread, task, most), fixed)


def split_places(places: Mapping[Place, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments, apart."""
    positional = sorted(place for place in places if isinstance(place, int))
    return tuple(places[place] for place in positional), {
        place: value for place, value in places.items() if isinstance(place, str)
    }


def _check_collection(value: Any, place: Place, task: str) -> None:
    """Raise ParameterError for what cannot be spread."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise ParameterError(
            f"{task}.map() cannot spread its argument {place!r}: {value!r:.80} is not a collection of elements. "
            "Put it into a list, or wrap it in unmapped(…) if it is the same for every element",
            parameter=str(place),
        )


def _elements(spread: Mapping[Place, Any], task: str, most: int) -> dict[Place, Elements]:
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


def _kept(value: Any) -> Elements:
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
