"""The keys of the configuration beside profiles, and which values each takes.

[limits]
db = 4          the user chose the name `db`: the key ("limits", "db") is looked up as ("limits", EVERY)
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from turgo.config.convert import convert_text

MAX_MAP_WIDTH = 10_000_000
"""How many elements a mapped task may have, unless the configuration or the flow says otherwise."""

EVERY = "*"
"""In a key of KNOWN, the place of a name that the user chooses."""


class Known(NamedTuple):
    """One setting.

    type: of its values; words: what they are, for a message. lasting: not in the memory of a process.
    """

    type: Any
    words: str
    lasting: bool = False

    def fits(self, value: Any) -> bool:
        """Whether the setting can have this value: no empty text, and no number below 1."""
        if type(value) is not self.type or (self.lasting and _is_in_memory(value)):
            return False
        return self.type is bool or (_can_be_named(value) if self.type is str else 0 < value < 2**63)

    def from_text(self, text: str) -> Any:
        """The value that a variable stands for. Raises ValueError if the setting cannot have it."""
        value = text if self.type is str else convert_text(text, self.type)
        if not self.fits(value):
            raise ValueError(f"expected {self.words}, got {text!r}")
        return value


KNOWN: Mapping[tuple[str, ...], Known] = MappingProxyType(
    {
        ("executor",): Known(str, "a name or a class path"),
        ("debug",): Known(bool, "true or false"),
        ("max_map_width",): Known(int, "a whole number, 1 or more"),
        ("limits", EVERY): Known(int, "a whole number, 1 or more"),
        ("cache", "url"): Known(str, "a folder or a URL"),
        ("cache", "max_bytes"): Known(int, "a whole number of bytes above 0"),
        ("cache", "trust"): Known(bool, "true or false"),
        ("progress", "enabled"): Known(bool, "true or false"),
        ("journal", "enabled"): Known(bool, "true or false"),
        ("journal", "required"): Known(bool, "true or false"),
        ("journal", "folder"): Known(str, "a folder"),
        ("journal", "values"): Known(str, "a folder or a URL that outlives this process", lasting=True),
        ("journal", "max_bytes"): Known(int, "a whole number of bytes above 0"),
        ("journal", "max_value_bytes"): Known(int, "a whole number of bytes above 0"),
        ("journal", "max_age_days"): Known(int, "a whole number of days above 0"),
    }
)
"""Every setting that is no part of a profile."""

TABLES = frozenset(key[0] for key in KNOWN if len(key) > 1)
"""The tables that hold settings."""


def _can_be_named(text: str) -> bool:
    """Whether a folder, a URL or a class can have such a name."""
    try:
        return text.strip() != "" and b"\0" not in os.fsencode(text)
    except ValueError:  # a lone surrogate
        return False


def _is_in_memory(url: str) -> bool:
    """Whether what lies there ends with the process, as for `memory://x` and `simplecache::memory://x`."""
    return url.partition("://")[0].strip().lower().split("::")[-1] == "memory" and "://" in url


def known(key: tuple[str, ...]) -> Known | None:
    """The setting of this key, if there is one."""
    return KNOWN.get(key) or (KNOWN.get((key[0], EVERY)) if len(key) == 2 and key[1] else None)


def within(table: str) -> list[str]:
    """The names in a table; none where the user chooses them."""
    return [key[1] for key in KNOWN if key[0] == table and key[1:] != (EVERY,)]
