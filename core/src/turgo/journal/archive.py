"""What an earlier run finished, for a later one to take over. Each value is given once, if it is whole."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

from turgo.config.ownership import open_own
from turgo.errors import JournalError
from turgo.journal.database import damage, loaded, opened, places_in
from turgo.journal.folder import RunFolder
from turgo.journal.rows import IDENTITY_BYTES, Row
from turgo.journal.shelf import ENTRY_BYTES, Shelf, shelf_at

logger = logging.getLogger("turgo")

OPEN_ROWS = 64
"""How many rows are held unpickled; neighbours are asked for together."""

OPEN_BYTES = 64 << 20
"""Bytes of entries behind a URL that are held, as an entry has the values of many rows."""

TOLD_ROWS = 10
"""Of how many rows it is said that they cannot be taken over."""


class Archive:
    """The finished calls of a run by identity. Raises JournalError if the journal was damaged as a whole.

    counts: how many calls there are by task. parts: of the code of each task, by its name.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self._rows: list[Row] = []
        self._places: dict[bytes, list[tuple[int, int]]] = {}
        self._opened: OrderedDict[int, list[Any]] = OrderedDict()
        self._entries: OrderedDict[tuple[int | None, str], bytes | None] = OrderedDict()
        self._shelves: dict[int, Shelf | None] = {}
        self._told = 0
        database = opened(folder.database)
        try:
            self.parts: dict[str, dict[str, str]] = {
                name: _parts_in(parts) for name, parts in database.execute("SELECT name, parts FROM tasks")
            }
            self._begun = Counter(identity for (identity,) in database.execute("SELECT identity FROM begun"))
            self._places_of_values = places_in(database)
            query = "SELECT task, identities, place, name, position, size, digest, content FROM calls ORDER BY number"
            for row in database.execute(query):
                self._add(Row(*row))
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise damage(folder.path, error) from error
        finally:
            database.close()

    def _add(self, row: Row) -> None:
        if not row.sound:
            raise ValueError(f"row {len(self._rows) + 1} of its calls is none")
        number = len(self._rows)
        self._rows.append(row)
        self.counts[row.task] += row.width
        for at in range(row.width):
            identity = row.identities[at * IDENTITY_BYTES : (at + 1) * IDENTITY_BYTES]
            self._places.setdefault(identity, []).append((number, at))

    def began(self, identity: bytes) -> bool:
        """Whether a call that may not be made twice began then, and its value is not here; asked once for each."""
        left = self._begun[identity]
        self._begun[identity] = max(0, left - 1)
        return left > 0

    def __contains__(self, identity: bytes) -> bool:
        return bool(self._places.get(identity))

    def take(self, identity: bytes) -> tuple[Any] | None:
        """The value of a call of this identity, in a tuple; each is given once. None if there is none that is whole."""
        taken = self.take_whole(identity)
        return None if taken is None else taken[:1]

    def take_whole(self, identity: bytes) -> tuple[Any, bytes | None] | None:
        """The same, with the digest of the copy if a worker has written it."""
        places = self._places.get(identity)
        while places:
            number, at = places.pop(0)
            values = self._values(number)
            if at < len(values):
                self.began(identity)
                row = self._rows[number]
                if row.width == 1:  # it is given once, and may be large
                    del self._opened[number]
                if row.content is not None:
                    self._entries.pop((row.place, row.name), None)
                return values[at], row.content
        return None

    def fetch(self, identities: Iterable[bytes]) -> None:
        """Fetch what has the values of some calls, all at once where it lies behind a URL."""
        wanted: dict[int, dict[str, None]] = {}
        total = 0
        for identity in identities:
            for number, _ in self._places.get(identity, ())[:1]:
                row = self._rows[number]
                known = number in self._opened or (row.place, row.name) in self._entries
                if row.place is not None and not known and total < OPEN_BYTES:
                    names = wanted.setdefault(row.place, {})
                    total += (
                        0 if row.name in names else max(row.size, ENTRY_BYTES if row.content is None else 0)
                    )
                    names[row.name] = None
        for place, names in wanted.items():
            self._fetch(place, list(names))

    def _fetch(self, place: int, names: Sequence[str]) -> None:
        """Hold some entries; None for those that are not there, or whose place cannot be reached."""
        found: dict[str, bytes] = {}
        shelf = self._shelf(place)
        if shelf is not None:
            try:
                found = shelf.store.get(names)
            except OSError as error:
                self._out_of_reach(place, error)
        for name in names:
            self._entries[place, name] = found.get(name)
        while len(self._entries) > len(names) and sum(map(_size, self._entries.values())) > OPEN_BYTES:
            self._entries.popitem(last=False)

    def _shelf(self, place: int) -> Shelf | None:
        if place not in self._shelves:
            try:
                self._shelves[place] = shelf_at(self._places_of_values[place], self.folder.id, number=place)
            except (KeyError, OSError, JournalError) as error:
                self._out_of_reach(place, error)
        return self._shelves[place]

    def _out_of_reach(self, place: int, error: Exception) -> None:
        where = self._places_of_values.get(place, "a place that is not written down")
        logger.warning(
            "what %s keeps at %s cannot be read: %s; what it was runs again", self.folder.id, where, error
        )
        self._shelves[place] = None

    def _values(self, number: int) -> list[Any]:
        """The values of a row; none, with a line in the log, if they were damaged or cannot be unpickled any more."""
        if number not in self._opened:
            self._opened[number] = self._read(self._rows[number])
            if len(self._opened) > OPEN_ROWS:
                self._opened.popitem(last=False)
        return self._opened[number]

    def _payload(self, row: Row) -> bytes | None:
        """What holds the values of a row; None if its place cannot be reached, which was said."""
        if row.place is None:
            with open(open_own(self.folder.values), "rb") as file:
                file.seek(row.position)
                return file.read(row.size)
        if self._shelves.get(row.place, self) is None:
            return None
        if (row.place, row.name) not in self._entries:
            self._fetch(row.place, [row.name])
        entry = self._entries[row.place, row.name]
        if entry is None and self._shelves[row.place] is not None:
            raise JournalError(f"it is no longer at {self._places_of_values[row.place]}")
        return None if entry is None else entry[row.position : row.position + row.size]

    def _read(self, row: Row) -> list[Any]:
        try:
            payload = self._payload(row)
            return [] if payload is None else row.values(payload)
        except Exception as error:  # noqa: BLE001  (a class that is gone, whose unpickling may raise anything)
            self._told += 1
            what = f"{row.width:,} values of {row.task}" if row.width > 1 else f"a value of {row.task}"
            reason = str(error) if isinstance(error, JournalError) else f"{type(error).__name__}: {error}"
            if self._told <= TOLD_ROWS:
                logger.warning("%s in the journal %s cannot be taken over: %s", what, self.folder.id, reason)
            return []


def _parts_in(text: Any) -> dict[str, str]:
    parts = loaded(text)
    if not isinstance(parts, dict):
        raise ValueError("it has parts of code that are none")
    return parts


def _size(entry: bytes | None) -> int:
    return 0 if entry is None else len(entry)
