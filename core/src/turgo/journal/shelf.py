"""The place of a run's values that `[journal] values` names: a folder or URL, with a part of it for each run.

    <values>/<run>/…      entries of many values each, that the driver writes; or of one, that a worker writes

What lies there may be shared with others. No signature is needed: the rows in the user's own folder hold the digest of
each value, and what does not fit is not unpickled.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import attrs

from turgo.config.load import Config, load_config
from turgo.errors import JournalError, StoreError
from turgo.journal.rows import Kept, Row, row_of
from turgo.redaction import HIDDEN, redacted_text
from turgo.stores.places import folder_of, open_place
from turgo.stores.store import OpenStore

ENTRY_BYTES = 16 << 20
"""Bytes above which values that are written together become more than one entry."""


@attrs.frozen
class Shelf:
    """The values of one run at a place. number: of the place in the journal; place: as it is written down there."""

    number: int
    place: str
    store: OpenStore

    def write(self, kept: Sequence[Kept]) -> list[Row]:
        """Write values, and return their rows. Raises OSError, which says where, if that cannot be done."""
        entries: dict[str, bytes] = {}
        rows: list[Row] = []
        for bunch in _bunches(kept):
            name, position = new_name(), 0
            for each in bunch:
                rows.append(row_of(each, self.number, name, position))
                position += len(each.payload)
            entries[name] = b"".join([each.payload for each in bunch])
        if entries:
            try:
                self.store.put(entries)
            except OSError as error:
                raise OSError(f"its values at {self.place}: {error}") from error
        return rows

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """How many bytes those entries have that are there. Raises as `write` does."""
        try:
            return self.store.sizes(names)
        except OSError as error:
            raise OSError(f"its values at {self.place}: {error}") from error

    def probe(self) -> None:
        """Raise OSError if nothing can be written there."""
        name = new_name()
        try:
            self.store.put({name: b""})
            self.store.delete([name])
        except OSError as error:
            raise OSError(f"its values at {self.place}: {error}") from error


def new_name() -> str:
    """A name that no entry has."""
    return os.urandom(20).hex()


def place_in(config: Config) -> str | None:
    """The place that the configuration names; None if values lie beside the journal. Raises JournalError."""
    setting = config.journal.get("values")
    if setting is None:
        return None
    try:
        folder = folder_of(str(setting.value), setting.origin.folder)
    except StoreError as error:
        raise JournalError(f"{error} (from {setting.origin})") from None
    return str(setting.value) if folder is None else str(folder)


def shelf_at(place: str, run: str, *, number: int = 1, new: bool = False) -> Shelf:
    """The values of a run at a place. new: whether they may be the first.

    Raises JournalError or OSError; FileNotFoundError if the place has none of that run.
    """
    found = _with_password(place)
    try:
        folder = folder_of(found, None)
        if folder is not None and not new and not (folder / run).is_dir():
            missing = (
                FileNotFoundError if folder.is_dir() else JournalError
            )  # else it may be one that is not mounted
            raise missing(f"there is no folder {folder / run}")
        store = open_place(f"{found.rstrip('/')}/{run}", what="the values of the run in")
    except StoreError as error:
        raise JournalError(str(error)) from error
    return Shelf(number, redacted_text(place), store)


def _with_password(place: str) -> str:
    """A URL that was written down without its password gets that of the configuration, if it is the same one."""
    if HIDDEN in place:
        configured = place_in(load_config())
        if configured is not None and redacted_text(configured) == place:
            return configured
    return place


def _bunches(kept: Sequence[Kept]) -> list[list[Kept]]:
    """Values that make one entry each."""
    bunches: list[list[Kept]] = []
    room = 0
    for each in kept:
        if len(each.payload) > room:
            bunches.append([])
            room = ENTRY_BYTES
        bunches[-1].append(each)
        room -= len(each.payload)
    return bunches
