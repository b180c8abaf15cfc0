"""Compares two results. Names the places where they differ, as one would write them: `result['mean'][3]`."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

NAMED_DIFFERENCES = 3
"""How many places are named."""

NEAR_SHARE = 1e-9
"""Two floats that differ by less, relative to their size, differ in their last digits."""


def differences(one: Any, other: Any) -> list[str]:
    """The first places where two results differ, in words; none if they are equal. NaN is equal to NaN."""
    return list(islice(_walk(one, other, "result", 0), NAMED_DIFFERENCES))


def _walk(one: Any, other: Any, place: str, depth: int) -> Iterator[str]:
    if one is other:
        return
    if type(one) is not type(other):
        yield f"{place} is {_shown(one)}, a {type(one).__name__}, and {_shown(other)}, a {type(other).__name__}"
    elif depth > 50:
        return  # what holds itself is compared by what was seen of it
    elif isinstance(one, float):
        yield from _floats(one, other, place)
    elif isinstance(one, (str, bytes)):
        yield from () if one == other else (f"{place} is {_shown(one)} and {_shown(other)}",)
    elif isinstance(one, Mapping):
        yield from _mappings(one, other, place, depth)
    elif isinstance(one, Sequence):
        if len(one) != len(other):
            yield f"{place} has {len(one):,} elements and {len(other):,}"
        for at, (left, right) in enumerate(zip(one, other, strict=False)):
            yield from _walk(left, right, f"{place}[{at}]", depth + 1)
    elif isinstance(one, AbstractSet):
        if odd := one ^ other:
            yield f"{place} does not hold {_shown(next(iter(odd)))} in both"
    else:
        yield from _objects(one, other, place, depth)


def _floats(one: float, other: float, place: str) -> Iterator[str]:
    if one == other or (math.isnan(one) and math.isnan(other)):
        return
    near = " (in the last digits)" if math.isclose(one, other, rel_tol=NEAR_SHARE) else ""
    yield f"{place} is {one!r} and {other!r}{near}"


def _mappings(one: Mapping[Any, Any], other: Mapping[Any, Any], place: str, depth: int) -> Iterator[str]:
    for key in [key for key in one if key not in other] + [key for key in other if key not in one]:
        yield f"{place}[{key!r}] is in one of them alone"
    for key in one:
        if key in other:
            yield from _walk(one[key], other[key], f"{place}[{key!r}]", depth + 1)


def _objects(one: Any, other: Any, place: str, depth: int) -> Iterator[str]:
    """Anything else: arrays and tables by their own way of comparing, records by their fields, the rest by `==`."""
    try:
        if hasattr(one, "equals"):  # pandas, polars, pyarrow
            equal = bool(one.equals(other))
        elif hasattr(one, "__array__"):
            import numpy  # whoever has an array has numpy

            equal = bool(numpy.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
        elif _by_identity(type(one)) and hasattr(one, "__dict__"):
            yield from _walk(vars(one), vars(other), f"vars({place})", depth + 1)
            return
        else:
            equal = bool(one == other)
    except Exception as error:  # noqa: BLE001  (user data, whose comparison may raise anything)
        yield f"{place} cannot be compared: {type(error).__name__}: {error}"
        return
    if not equal:
        yield f"{place} is {_shown(one)} and {_shown(other)}"


def _by_identity(kind: Any) -> bool:
    """Whether objects of a class are equal to themselves alone."""
    return bool(kind.__eq__ is object.__eq__)


def _shown(value: Any) -> str:
    return " ".join(reprlib.repr(value).split())
