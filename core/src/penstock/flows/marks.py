"""Marks on the arguments of `task.map(…)`."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import attrs

from penstock.errors import ParameterError

T = TypeVar("T")


@attrs.frozen
class unmapped(Generic[T]):  # noqa: N801  (called like a function, as in `measure.map(paths, unmapped(options))`)
    """Wraps an argument of `map` that is the same for every element."""

    value: T


def refuse_mark(mark: unmapped[Any], place: str) -> None:
    """Raise ParameterError, as a mark has no meaning at `place`, and the task would get the mark itself."""
    raise ParameterError(
        f"{place} is unmapped({mark.value!r:.80}), which is an argument of map alone, as in "
        "task.map(values, unmapped(options)). Everywhere else write what is in it, without unmapped"
    )
