"""One value that was set somewhere, and where.

An `Origin` prints as the place a reader looks at: `turgo.toml, line 4, key 'executors.hpc.use'`, `variable
TURGO_EXECUTOR`, `option --executor`. A `Setting` is a value with its key and its origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

Key = tuple[str, ...]
"""What a setting is called: the names of the tables around it, and its own."""

KINDS = ("argument", "option", "variable", "flow", "project file", "user file", "default")
"""Where a value can come from, the strongest first."""


@attrs.frozen
class Origin:
    """Where a value was set.

    kind: one of KINDS.
    where: the file as shown to the reader, the variable, the option, the parameter or the flow's name.
    key: dotted, as in the file; line: counted from 1; both for files only.
    folder: the folder of the file, which `./file.py:Class` in it is relative to.
    doubt: why somebody else may have written the file, so that no code is taken from it; empty if nobody may.
    """

    kind: str = attrs.field(validator=attrs.validators.in_(KINDS))
    where: str
    key: str | None = None
    line: int | None = None
    folder: Path | None = attrs.field(default=None, eq=False, repr=False)
    doubt: str = attrs.field(default="", eq=False, repr=False)

    def __str__(self) -> str:
        if self.kind == "default":
            return "the default"
        if self.kind == "flow":
            return self.where
        if not self.kind.endswith("file"):
            return f"{self.kind} {self.where}"
        line = f", line {self.line}" if self.line else ""
        key = f", key {self.key!r}" if self.key else ""
        return f"{self.where}{line}{key}"


@attrs.frozen
class Setting:
    """A value, the key it was set under and its origin.

    text: it came as text (a variable, or `-o key=value`) and is still to be converted by the option's type.
    within: of a table, where each of its keys was set.
    """

    key: Key
    value: Any
    origin: Origin
    text: bool = False
    within: Mapping[Key, Origin] = attrs.field(factory=dict, eq=False, repr=False)


def overlay(below: Mapping[str, Setting], above: Mapping[str, Setting]) -> dict[str, Setting]:
    """Options over options, key by key; where both hold a mapping, the keys in it too."""
    merged = dict(below)
    for name, setting in above.items():
        under = merged.get(name)
        if under and isinstance(under.value, Mapping) and isinstance(setting.value, Mapping):
            setting = attrs.evolve(setting, value=_merged(under.value, setting.value))
        merged[name] = setting
    return merged


def _merged(below: Any, above: Any) -> Any:
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return {**below, **{key: _merged(below.get(key), value) for key, value in above.items()}}
