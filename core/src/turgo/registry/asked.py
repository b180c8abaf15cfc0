"""Parses a request for an executor once, and keeps its origin. The text is a name, a class path or a file.

    dask, turgo-dask/dask                        Name
    pkg.mod.Class, pkg.mod:Class                 ClassPath
    ./file.py:Class, ./file.py                   FilePath

A text without `.`, `:` and a second `/` is a name. There is one rule and no fall-back.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import attrs

from turgo.config.settings import Origin
from turgo.errors import ExecutorImportError, ExecutorLookupError
from turgo.names import normalise

E = TypeVar("E", bound=ExecutorLookupError)


class Name(NamedTuple):
    """The name of a profile or plugin, normalised. distribution: as written before the slash, or empty."""

    name: str
    distribution: str = ""


class ClassPath(NamedTuple):
    """A class in a module. attribute: dotted, below the module."""

    module: str
    attribute: str


class FilePath(NamedTuple):
    """A class in a file. file: as written; attribute: dotted, or empty if no class was named."""

    file: Path
    attribute: str


Target = Name | ClassPath | FilePath


@attrs.frozen(slots=False)
class Asked:
    """The text that names an executor, and its origin, which every error about it quotes."""

    text: str
    origin: Origin | None = None

    @cached_property
    def target(self) -> Target:
        """What the text names. Raises ExecutorImportError for a class path that is none."""
        if not is_class_path(self.text):
            return _name(self.text)
        place, attribute = _split(self.text)
        is_file = place.endswith(".py") or "/" in place
        words = [*attribute.split("."), *([] if is_file else place.split("."))]
        if is_file and not attribute and not self.text.endswith(":"):
            return FilePath(Path(place), "")
        if not place or not all(word.isidentifier() for word in words):
            message = f"{self.text!r} is no class path{self.by}: "
            message += "write pkg.mod.Class, pkg.mod:Class or ./file.py:Class"
            raise self.error(ExecutorImportError, message)
        return FilePath(Path(place), attribute) if is_file else ClassPath(place, attribute)

    @property
    def label(self) -> str:
        """What a run is recorded under: the normalised name, or the class path as it was written."""
        if is_class_path(self.text):
            return self.text
        name = self.target
        return name.name if isinstance(name, Name) and not name.distribution else normalise(self.text)

    @property
    def by(self) -> str:
        """The part of a message that says where it was asked."""
        return f" (asked by {self.origin})" if self.origin else ""

    @property
    def folder(self) -> Path:
        """The folder that a file is relative to: that of the configuration file, or the current one."""
        return (self.origin and self.origin.folder) or Path.cwd()

    def error(self, cls: type[E], message: str, **more: Any) -> E:
        """An error about this that keeps text and origin as its attributes."""
        return cls(message, asked=self.text, origin=str(self.origin) if self.origin else None, **more)


def is_class_path(text: str) -> bool:
    """Whether a text names a class or a file. Otherwise it is a name, or `distribution/name`."""
    if ":" in text or ".py" in text or text.startswith((".", "/", "~")) or text.count("/") > 1:
        return True
    return "." in text and "/" not in text


@lru_cache(maxsize=64)
def _name(text: str) -> Name:
    """The name that a text is; runs ask for the same few again and again."""
    distribution, _, name = text.rpartition("/")
    return Name(normalise(name), distribution)


def _split(text: str) -> tuple[str, str]:
    """Module or file, and attribute."""
    place, colon, attribute = text.rpartition(":")
    if colon:
        return place, attribute
    if text.endswith(".py") or "/" in text:
        return text, ""
    place, _, attribute = text.rpartition(".")
    return place, attribute
