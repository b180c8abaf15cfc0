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
from functools import lru_cache, reduce
from importlib import import_module
from typing import Any, NamedTuple

from turgo.names import reason_of
from turgo.registry.distributions import Distribution, distributions

State = tuple[tuple[str, int], ...]
"""Each folder of a search path, and when it last gained or lost an entry, in nanoseconds."""


class InstalledEntryPoint(NamedTuple):
    """One line of an entry_points.txt. distribution, version: of the package that it belongs to."""

    name: str
    value: str
    distribution: str
    version: str

    @property
    def module(self) -> str:
        """The module that it names."""
        return self.value.partition("[")[0].partition(":")[0].strip()

    def load(self) -> Any:
        """Import what it names. Raises whatever that raises, and ValueError if it names nothing."""
        path = self.value.partition("[")[0].partition(":")[2].strip()
        names = path.split(".") if path else []
        if not all(name.isidentifier() for name in [*self.module.split("."), *names]):
            raise ValueError(
                f"the entry point {self.name!r} names nothing that can be imported: {self.value!r}"
            )
        return reduce(getattr, names, import_module(self.module))


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
        DamagedDistribution(" ".join(found.identity), problem)
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
        InstalledEntryPoint(name, value, *found.identity)
        for found, text in _pointing(state)
        if f"[{group}]" in text  # few have the group, and only theirs need to be parsed
        for section, name, value in _usable(text)
        if section == group
    )


@lru_cache(maxsize=2)
def _pointing(state: State) -> tuple[tuple[Distribution, str], ...]:
    """The distributions that have entry points, each with the text of them: read once for all groups."""
    texts = ((found, _text(found)) for found in _distributions(state))
    return tuple((found, text) for found, text in texts if text)


def _distributions(state: State) -> Iterator[Distribution]:
    return distributions([folder for folder, changed in state if changed])


def _text(found: Distribution) -> str:
    try:
        return found.read_text("entry_points.txt") or ""
    except Exception:  # noqa: BLE001  (foreign data, malformed in any way; `damaged` says how)
        return ""


def _parsed(text: str) -> Iterator[tuple[str, str, str]]:
    """Section, name and value of each line of an entry_points.txt. Raises ValueError at one that is none of both."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif line and not line.startswith(("#", ";")):
            name, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"the line {line!r} has no value")
            yield section, name.strip(), value.strip()


def _usable(text: str) -> list[tuple[str, str, str]]:
    try:
        return list(_parsed(text))
    except ValueError:  # `damaged` says so
        return []


def _problem(found: Distribution) -> str:
    """What is wrong with its metadata, in words; empty if nothing is."""
    try:
        list(_parsed(found.read_text("entry_points.txt") or ""))
    except Exception as error:  # noqa: BLE001  (foreign data, malformed in any way)
        return f"its entry_points.txt cannot be read: {reason_of(error)}"
    try:
        described = found.is_described
    except Exception as error:  # noqa: BLE001  (as above)
        return f"its METADATA cannot be read: {reason_of(error)}"
    return "" if described else "it has no METADATA"
