"""What an earlier run finished, for a later one to take over. Each value is given once, if it is whole."""

from __future__ import annotations

import json
import logging
import pickle
import sqlite3
from collections import Counter, OrderedDict
from typing import Any, NamedTuple

from turgo.config.ownership import open_own
from turgo.errors import JournalError
from turgo.journal.database import opened
from turgo.journal.folder import RunFolder
from turgo.journal.writer import IDENTITY_BYTES, digest_of

logger = logging.getLogger("turgo")

OPEN_ROWS = 64
"""How many rows are held unpickled; neighbours are asked for together."""


class _Row(NamedTuple):
    """Where the values of some calls lie, and what finds damage."""

    task: str
    identities: bytes
    position: int
    size: int
    digest: bytes


class Archive:
    """The finished calls of a run by identity. Raises JournalError if the journal was damaged as a whole.

    counts: how many calls there are by task. parts: of the code of each task, by its name.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self._rows: list[_Row] = []
        self._places: dict[bytes, list[tuple[int, int]]] = {}
        self._opened: OrderedDict[int, list[Any]] = OrderedDict()
        database = opened(folder.database)
        try:
            self.parts: dict[str, dict[str, str]] = {
                name: json.loads(parts) for name, parts in database.execute("SELECT name, parts FROM tasks")
            }
            self._begun = Counter(identity for (identity,) in database.execute("SELECT identity FROM begun"))
            query = "SELECT task, identities, position, size, digest FROM calls ORDER BY number"
            for row in database.execute(query):
                self._add(_Row(*row))
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise JournalError(f"the journal {folder.path} is damaged: {error}") from error
        finally:
            database.close()

    def _add(self, row: _Row) -> None:
        number = len(self._rows)
        self._rows.append(row)
        self.counts[row.task] += len(row.identities) // IDENTITY_BYTES
        for at in range(len(row.identities) // IDENTITY_BYTES):
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
        places = self._places.get(identity)
        while places:
            number, at = places.pop(0)
            values = self._values(number)
            if at < len(values):
                self.began(identity)
                return (values[at],)
        return None

    def _values(self, number: int) -> list[Any]:
        """The values of a row; none, with a line in the log, if they were damaged or cannot be unpickled any more."""
        if number not in self._opened:
            self._opened[number] = self._read(self._rows[number])
            if len(self._opened) > OPEN_ROWS:
                self._opened.popitem(last=False)
        return self._opened[number]

    def _read(self, row: _Row) -> list[Any]:
        count = len(row.identities) // IDENTITY_BYTES
        try:
            with open(open_own(self.folder.values), "rb") as file:
                file.seek(row.position)
                payload = file.read(row.size)
            if digest_of((row.task, row.identities, payload)) != row.digest:
                raise JournalError("it was damaged: its digest does not fit")
            values = pickle.loads(payload)
        except Exception as error:  # noqa: BLE001  (a class that is gone, whose unpickling may raise anything)
            what = f"{count:,} values of {row.task}" if count > 1 else f"a value of {row.task}"
            reason = str(error) if isinstance(error, JournalError) else f"{type(error).__name__}: {error}"
            logger.warning("%s in the journal %s cannot be taken over: %s", what, self.folder.id, reason)
            return []
        return values if isinstance(values, list) and len(values) == count else []
