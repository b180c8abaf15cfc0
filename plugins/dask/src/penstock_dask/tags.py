"""Tags that ask for resources of a worker: `dask-resource:GPU=1`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from penstock.errors import OptionError

PREFIX = "dask-resource:"


def resources_of(tags: Sequence[str] | None) -> dict[str, float] | None:
    """What the tags ask for, `{"GPU": 1.0}`, or None. Raises OptionError for one that is ill-formed."""
    return _resources(tuple(tags)) if tags else None


@lru_cache(maxsize=256)
def _resources(tags: tuple[str, ...]) -> dict[str, float] | None:
    return dict(_parsed(tag) for tag in tags if tag.startswith(PREFIX)) or None


def _parsed(tag: str) -> tuple[str, float]:
    key, equals, number = tag.removeprefix(PREFIX).partition("=")
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    if not key.strip() or not equals or not 0 < amount < float("inf"):
        raise OptionError(
            f"the tag {tag!r} asks for no resource: write {PREFIX}{key.strip() or 'KEY'}=NUM, as in "
            f"{PREFIX}GPU=1",
            option=tag,
            executor="dask",
        )
    return key.strip(), amount
