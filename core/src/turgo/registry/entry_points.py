"""Entry points of installed distributions, read one distribution at a time.

    entry_points()   those of a group; a distribution that cannot be read has none
    damaged()        which distributions cannot be read, and why

Foreign metadata may be damaged in any way, and must break nothing but its own distribution. Reading all of it takes
milliseconds, more than a small flow run, so it is read again only after something was installed or removed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from turgo.names import canonicalise, reason_of

State = tuple[tuple[str, int], ...]
"""Each folder of a search path, and when it last gained or lost an entry, in nanoseconds."""

MANIFESTS = ("METADATA", "PKG-INFO", "")
"""Where a distribution describes itself: the empty name is an egg-info that is a file."""


class Distribution(Protocol):
    """What is asked of a distribution, whichever finder knows it. Each part may raise anything."""

    @property
    def entry_points(self) -> Any:
        """The lines of entry_points.txt."""

    def read_text(self, filename: str) -> str | None:
        """The text of a file in its folder, or None if there is none."""


class InstalledEntryPoint(NamedTuple):
    """One line of an entry_points.txt. distribution, version: of the package that it belongs to."""

    name: str
    value: str
    distribution: str
    version: str

    @property
    def module(self) -> str:
        """The module that it names."""
        return self.value.partition(":")[0].strip()

    def load(self) -> Any:
        """Import what it names. Raises whatever that raises, and ValueError if it names nothing."""
        from importlib_metadata import EntryPoint

        return EntryPoint(self.name, self.value, "").load()


class DamagedDistribution(NamedTuple):
    """A distribution whose metadata cannot be read. name: as far as it can be read; problem: in words."""

    name: str
    problem: str


def entry_points(*, group: str, path: Sequence[str] | None = None) -> tuple[InstalledEntryPoint, ...]:
    """The entry points of a group. path: folders to look in; those of `sys.path` if not given."""
    return _read(group, _state(path))


def damaged(path: Sequence[str] | None = None) -> tuple[DamagedDistribution, ...]:
    """The distributions whose metadata cannot be read, wherever one looks at it; reads all of it."""
    return tuple(
        DamagedDistribution(" ".join(_identity(found)), problem)
        for found in _distributions(_state(path))
        if (problem := _problem(found))
    )


def _state(path: Sequence[str] | None) -> State:
    return tuple((folder, _changed(folder or ".")) for folder in (sys.path if path is None else path))


def _changed(folder: str) -> int:
    """When a folder last gained or lost an entry, in nanoseconds; 0 if it is not there."""
    try:
        return os.stat(folder).st_mtime_ns
    except (OSError, ValueError):
        return 0


@lru_cache(maxsize=4)
def _read(group: str, state: State) -> tuple[InstalledEntryPoint, ...]:
    return tuple(
        InstalledEntryPoint(point.name, point.value, *_identity(found))
        for found, text in _pointing(state)
        if f"[{group}]" in text  # few have the group, and only theirs need to be parsed
        for point in _points(found)
        if point.group == group
    )


@lru_cache(maxsize=2)
def _pointing(state: State) -> tuple[tuple[Distribution, str], ...]:
    """The distributions that have entry points, each with the text of them: read once for all groups."""
    texts = ((found, _text(found)) for found in _distributions(state))
    return tuple((found, text) for found, text in texts if text)


def _text(found: Distribution) -> str:
    try:
        return found.read_text("entry_points.txt") or ""
    except Exception:  # noqa: BLE001  (foreign data, malformed in any way; `damaged` says how)
        return ""


def _points(found: Distribution) -> Any:
    try:
        return found.entry_points
    except Exception:  # noqa: BLE001  (as above)
        return ()


def _problem(found: Distribution) -> str:
    """What is wrong with its metadata, in words; empty if nothing is."""
    try:
        found.entry_points  # noqa: B018  (read, to see whether it can be)
    except Exception as error:  # noqa: BLE001  (foreign data, malformed in any way)
        return f"its entry_points.txt cannot be read: {reason_of(error)}"
    try:
        described = _is_described(found)
    except Exception as error:  # noqa: BLE001  (as above)
        return f"its METADATA cannot be read: {reason_of(error)}"
    return "" if described else "it has no METADATA"


def _is_described(found: Distribution) -> bool:
    return any(found.read_text(name) for name in MANIFESTS)


def _distributions(state: State) -> Iterator[Distribution]:
    """The first distribution of each name on the search path; an empty one hides none behind it."""
    from importlib_metadata import distributions  # 20 ms, which `import turgo` need not spend

    same: dict[str, list[Distribution]] = {}
    for found in distributions(path=[folder for folder, changed in state if changed]):
        same.setdefault(canonicalise(_from_folder(found)[0] or _identity(found)[0]), []).append(found)
    for candidates in same.values():
        if len(candidates) == 1:
            yield candidates[0]  # without a look at its METADATA, which may be long
        else:
            yield next((each for each in candidates if not _is_empty(each)), candidates[0])


def _is_empty(found: Distribution) -> bool:
    """Whether nothing but its folder is left, as after an uninstallation that was broken off."""
    try:
        return not _is_described(found) and found.read_text("entry_points.txt") is None
    except Exception:  # noqa: BLE001  (what cannot be read is there)
        return False


def _identity(found: Distribution) -> tuple[str, str]:
    """Name and version, by its METADATA or else by the name of its folder."""
    fields = _fields(found)
    by_folder = _from_folder(found)
    name = fields.get("name") or by_folder[0] or "an unknown distribution"
    return name, fields.get("version") or by_folder[1] or "?"


def _fields(found: Distribution) -> dict[str, str]:
    """The fields of its METADATA that are one line, by their names in lower case; none if it cannot be read.

    `found.metadata` would say the same by the parser of e-mail, which takes longer to import than a small run takes.
    """
    try:
        text = next(filter(None, map(found.read_text, MANIFESTS)), "")
    except Exception:  # noqa: BLE001  (missing or malformed)
        return {}
    head = text.partition("\n\n")[0]
    lines = (line.partition(":") for line in head.splitlines() if not line.startswith((" ", "\t")))
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _from_folder(found: Distribution) -> tuple[str, str]:
    """Name and version as `turgo_dask-1.0.dist-info` has them; empty texts where a folder says neither."""
    folder = str(
        getattr(getattr(found, "_path", None), "name", "")
    )  # of no public face; other finders have none
    stem, _, kind = folder.rpartition(".")
    if kind not in ("dist-info", "egg-info"):
        return "", ""
    name, version, *_ = *stem.split("-"), ""
    return name, version
