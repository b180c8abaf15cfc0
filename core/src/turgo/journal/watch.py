"""Writes now and then what became of the task runs so far, for who looks meanwhile or after the driver was killed."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence

from turgo.journal.database import put_record
from turgo.records.failure_facts import FailureFacts

SEEN_SECONDS = 1.0
"""Seconds after which what became of the task runs is written again."""

SEEN_SHARE = 50
"""How many times as long as that takes nothing more is written of it."""

Seen = tuple[Mapping[str, bytes], Sequence[FailureFacts]]
"""What became of the task runs: their columns, and why some failed."""


class Watch:
    """That of one run, in the thread that writes its journal. look: says what became of the task runs."""

    def __init__(self, look: Callable[[], Seen]) -> None:
        self._look = look
        self._next_look = 0.0
        self._unseen = False

    @property
    def due_seconds(self) -> float | None:
        """Seconds until `write` has something to write; None if it has not, as long as nothing else is written."""
        return max(0.0, self._next_look - time.monotonic()) if self._unseen else None

    def write(self, database: sqlite3.Connection, *, fresh: bool) -> None:
        """Write what became of the task runs, unless that was not long ago for what it costs.

        fresh: whether something was written just now, which the run itself may not have taken in yet.
        """
        began = time.monotonic()
        self._unseen = self._unseen or fresh
        if began < self._next_look:
            return
        self._unseen = fresh
        columns, failures = self._look()
        with database:
            database.execute("BEGIN")
            put_record(database, columns, failures)
        now = time.monotonic()
        self._next_look = now + max(SEEN_SECONDS, SEEN_SHARE * (now - began))
