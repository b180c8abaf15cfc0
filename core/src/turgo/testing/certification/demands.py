"""The demands are how much the suite asks of an executor, so that slow ones can be certified as well.

--load 500, --patience 120 …           the command line
[tool.turgo.certify] in pyproject.toml  the project, in turgo.toml [certify]
class TestMine(ExecutorConformance)     a test file, which sets them as attributes
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import attrs

from turgo.config.places import current_folder, project_file, shown
from turgo.config.toml_lines import read_toml
from turgo.errors import ConfigError
from turgo.names import did_you_mean, nearest
from turgo.testing.checks import Checks

_WORDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "load": (int, "a whole number of calls, 1 or more"),
    "patience": ((int, float), "a number of seconds above 0"),
    "huge": (int, "a whole number of bytes, 1 or more"),
    "lasting_threads": (list, "a list of the beginnings of names"),
    "shared_folder": (str, "a folder"),
    "failing_options": (dict, "a table of options"),
}


@attrs.frozen
class Demands:
    """What is asked of an executor; the attributes of ExecutorConformance, which say what each means."""

    load: int = Checks.load
    patience: float = Checks.patience
    huge: int = Checks.huge
    lasting_threads: tuple[str, ...] = attrs.field(default=Checks.lasting_threads, converter=tuple)
    shared_folder: str | None = Checks.shared_folder
    failing_options: Mapping[str, Any] | None = Checks.failing_options

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Demands:
        """Those of the command line, where it has any, over those of the project. Raises ConfigError."""
        return cls(**{**of_project(), **{name: value for name, value in given.items() if value}})

    def words(self) -> str:
        """What differs from what is usual, on one line; empty if nothing does."""
        usual = Demands()
        record, same = attrs.asdict(self), attrs.asdict(usual)
        return ", ".join(f"{name} {value}" for name, value in record.items() if value != same[name])


def of_project() -> dict[str, Any]:
    """What the project file says. Raises ConfigError, with file, line and key, for what makes no sense."""
    folder = current_folder()
    path = project_file(folder, os.environ)
    if path is None:
        return {}
    file = read_toml(path, shown(path, folder))
    top = ("tool", "turgo", "certify") if path.name == "pyproject.toml" else ("certify",)
    table: Any = file.data
    for part in top:
        table = table.get(part, {})
    for name, value in table.items():
        if problem := _problem(name, value):
            key = (*top, name)
            raise ConfigError(problem, file=shown(path, folder), line=file.line(key), key=".".join(key))
    return dict(table)


def _problem(name: str, value: Any) -> str:
    """Why a setting cannot be, or ""."""
    if name not in _WORDS:
        return f"there is no such setting{did_you_mean(nearest(name, list(_WORDS)))}"
    kind, words = _WORDS[name]
    fits = isinstance(value, kind) and not isinstance(value, bool)
    if not fits or (isinstance(value, (int, float)) and value <= 0):
        return f"expected {words}, got {value!r}"
    return ""
