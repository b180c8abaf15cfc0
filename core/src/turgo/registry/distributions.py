"""The distributions that are installed, and what their metadata say of them.

    search path ── folders ──────────────────────────────> *.dist-info, *.egg-info ──> Distribution
                └─ anything else, or finders of others ──> importlib_metadata ───────>

importlib_metadata takes longer to import than a small run takes, so folders are looked through here, as it does it.
What it alone can do, such as looking into a zip file, or asking the finder of another package, it does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from turgo.names import canonicalise

MANIFESTS = ("METADATA", "PKG-INFO", "")
"""Where a distribution describes itself: the empty name is an egg-info that is a file."""

SUFFIXES = (".dist-info", ".egg-info")

FOLDER_FINDERS = ("_frozen_importlib_external", "importlib_metadata")
"""The modules of finders that know of distributions what stands in folders, and in zip files."""

NO_TEXT = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)


class Distribution(NamedTuple):
    """One that is installed. folder: the name of the folder with its metadata, empty if it has none.

    read_text: the text of a file in there, or None if there is none. It may raise anything.
    """

    folder: str
    read_text: Callable[[str], str | None]

    @property
    def identity(self) -> tuple[str, str]:
        """Name and version, by its METADATA or else by the name of its folder."""
        fields = self._described()
        by_folder = self._from_folder()
        name = fields.get("name") or by_folder[0] or "an unknown distribution"
        return name, fields.get("version") or by_folder[1] or "?"

    @property
    def key(self) -> str:
        """Its name in the form in which names are compared, without a look at its METADATA, which may be long."""
        return canonicalise(self._from_folder()[0] or self.identity[0])

    @property
    def is_described(self) -> bool:
        """Whether it has a METADATA. Raises what reading that raises."""
        return any(map(self.read_text, MANIFESTS))

    @property
    def is_empty(self) -> bool:
        """Whether nothing but its folder is left, as after an uninstallation that was broken off."""
        try:
            return not self.is_described and self.read_text("entry_points.txt") is None
        except Exception:  # noqa: BLE001  (what cannot be read is there)
            return False

    def _described(self) -> dict[str, str]:
        """The fields of its METADATA that are one line, by their names in lower case; none if it cannot be read."""
        try:
            text = next(filter(None, map(self.read_text, MANIFESTS)), "")
        except Exception:  # noqa: BLE001  (missing or malformed)
            return {}
        head = text.partition("\n\n")[0]
        lines = (line.partition(":") for line in head.splitlines() if not line.startswith((" ", "\t")))
        return {name.strip().lower(): value.strip() for name, _, value in lines}

    def _from_folder(self) -> tuple[str, str]:
        """Name and version as `turgo_dask-1.0.dist-info` has them; empty texts where a folder says neither."""
        stem, _, kind = self.folder.rpartition(".")
        if f".{kind}" not in SUFFIXES:
            return "", ""
        name, version, *_ = *stem.split("-"), ""
        return name, version


def distributions(path: Sequence[str]) -> Iterator[Distribution]:
    """The first distribution of each name on a search path; an empty one hides none behind it."""
    same: dict[str, list[Distribution]] = {}
    for found in _in_folders(path) if _has_folders_only(path) else _by_finders(path):
        same.setdefault(found.key, []).append(found)
    for candidates in same.values():
        if len(candidates) == 1:
            yield candidates[0]
        else:
            yield next((each for each in candidates if not each.is_empty), candidates[0])


def _has_folders_only(path: Sequence[str]) -> bool:
    """Whether all that is on a search path is a folder of modules, and nobody else finds distributions."""
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    return all(getattr(finder, "__module__", "") in FOLDER_FINDERS for finder in finders) and all(
        os.path.isdir(folder or ".") and not folder.lower().endswith(".egg") for folder in path
    )


def _in_folders(path: Sequence[str]) -> Iterator[Distribution]:
    for folder in path:
        try:
            names = os.listdir(folder or ".")
        except OSError:  # it may not be looked into
            continue
        for name in names:
            if name.lower().endswith(SUFFIXES):
                yield Distribution(name, partial(_text, os.path.join(folder, name)))


def _text(folder: str, name: str) -> str | None:
    try:
        with open(os.path.join(folder, name) if name else folder, encoding="utf-8") as file:
            return file.read()
    except NO_TEXT:
        return None


def _by_finders(path: Sequence[str]) -> Iterator[Distribution]:
    from importlib_metadata import distributions as found_by_all

    for found in found_by_all(path=list(path)):
        # `_path` is of no public face; what other finders find has none.
        yield Distribution(getattr(getattr(found, "_path", None), "name", ""), found.read_text)
