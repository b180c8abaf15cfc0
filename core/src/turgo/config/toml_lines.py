"""A TOML file with the line of each of its keys.

`tomllib` says what a file holds and not where. No proper beginning of a statement is a statement itself, so
the lines of a key are found by cutting the file, known to be valid, into statements and reading each alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import attrs

from turgo.config.settings import Key
from turgo.errors import ConfigError


@attrs.frozen(slots=False)
class TomlFile:
    """What a TOML file holds. path: of the file; data: its content; text: the file itself."""

    path: Path
    data: dict[str, Any]
    text: str

    @cached_property
    def lines(self) -> dict[Key, int]:
        """The line of each key and table, from 1. Takes longer than to read the file, so it is not done in vain."""
        return dict(_lines(self.text))

    def line(self, key: Key) -> int | None:
        """The line of a key, or of the nearest table around it that is written out."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key)


def read_toml(path: Path, shown: str) -> TomlFile:
    """Read a file. Raises ConfigError, with the line, if it is no TOML; `shown` is the file's name there."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=shown) from error
    try:
        data = content_of(text)
    except ValueError as error:
        raise ConfigError(f"is no valid TOML: {error}", file=shown, line=_line_of(error, text)) from error
    return TomlFile(path, data, text)


@lru_cache(maxsize=4)
def content_of(text: str) -> dict[str, Any]:
    """What a text says. Raises ValueError if it is no TOML. Nobody may change what it gives.

    Every run asks for the configuration, and a large file takes a millisecond.
    """
    data = _loads(text)
    if _has_large_number(data):
        raise ValueError("a whole number has more than 64 bits")
    return data


def _has_large_number(value: Any) -> bool:
    """Whether it holds a number that TOML does not have; Python may be unable to show it."""
    if isinstance(value, (dict, list)):
        return any(map(_has_large_number, value.values() if isinstance(value, dict) else value))
    return type(value) is int and not -(2**63) <= value < 2**63


def _loads(text: str) -> dict[str, Any]:
    """Raises ValueError for what is no TOML."""
    import tomllib  # late: most runs have no file to read

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _line_of(error: ValueError, text: str) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else text.rstrip().count("\n") + 1  # "at end of document"


def _lines(text: str) -> Iterator[tuple[Key, int]]:
    table: Key = ()
    seen: set[Key] = set()
    for number, statement in _statements(text):
        keys = list(_keys(_loads(statement)))
        if statement.lstrip().startswith("["):
            table = max(keys, key=len)
        else:
            keys = [table + key for key in keys]
        for key in keys:
            if key not in seen:
                seen.add(key)
                yield key, number


def _statements(text: str) -> Iterator[tuple[int, str]]:
    begun, first = "", 0
    for number, line in enumerate(io.StringIO(text), 1):
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        first = number if not begun else first
        begun += line
        if (number == first or _may_end(line)) and _complete(begun):
            yield first, begun
            begun = ""


def _may_end(line: str) -> bool:
    """Whether a statement of several lines can end here; trying each line of a long list takes its square."""
    within_list = line.rstrip().endswith(",")
    return "#" in line or (not within_list and any(end in line for end in ("]", "}", '"', "'")))


def _complete(statement: str) -> bool:
    try:
        _loads(statement)
    except ValueError:
        return False
    return True


def _keys(data: Any, above: Key = ()) -> Iterator[Key]:
    if isinstance(data, Mapping):
        for name, value in data.items():
            yield (*above, name)
            yield from _keys(value, (*above, name))
