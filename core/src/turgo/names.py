"""Names that people write, in their one form. Finds the nearest one to a name that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable


def normalise(name: str) -> str:
    """The one form of a name: `Local-Dask`, `local-dask` and `local_dask` are `local_dask`."""
    return name.strip().lower().replace("-", "_")


def canonicalise(distribution: str) -> str:
    """The one form of a distribution's name, as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", distribution.strip()).lower()


def unfit_name(name: str) -> str:
    """Why nobody can ask for an executor of that name, in words; empty if everybody can."""
    if not name.strip():
        return "it is empty"
    held = sorted(set(name) & set(".:/"))
    return f"it holds {held[0]!r}, as class paths and files do" if held else ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Which of the known names may have been meant, if any is near enough."""
    from difflib import get_close_matches  # late: only a name that does not exist needs it

    matches = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(name: str | None) -> str:
    """The half-sentence of a message that names the nearest thing, or nothing."""
    return f"; did you mean {name!r}?" if name else ""


def reason_of(error: BaseException) -> str:
    """An error on one line: its type and its message."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
