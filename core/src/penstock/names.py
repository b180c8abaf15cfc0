"""Names that people write: the one form of each, and what was meant by one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def normalise(name: str) -> str:
    """The one form of a name: `Local-Dask`, `local-dask` and `local_dask` are `local_dask`."""
    return name.strip().lower().replace("-", "_")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names may have been meant, if any is near enough."""
    matches = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(name: str | None) -> str:
    """The half-sentence of a message that names the nearest thing, or nothing."""
    return f"; did you mean {name!r}?" if name else ""
