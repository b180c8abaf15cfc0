"""Writes the journal of one run. A thread of its own does so, in bunches.

    keep(task, identities, values) ──pickle──> queue ──thread──> values.bin or a shelf, then journal.sqlite

Values are pickled at once, as the next call may change them. What a row says is written after what it names, so a
journal that was cut off at any moment names nothing that is not whole. One that cannot be written is given up.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import attrs

from turgo.errors import JournalError
from turgo.journal.database import create, number_of_place, put_begun, put_facts, put_record, storable
from turgo.journal.folder import RunFolder
from turgo.journal.rows import Kept, Row, pickled, row_digest, row_of
from turgo.journal.shelf import Shelf, shelf_at
from turgo.journal.watch import Seen, Watch
from turgo.records.failure_facts import FailureFacts

logger = logging.getLogger("turgo")

COLLECT_SECONDS = 0.1
"""Seconds for which what is to be written is collected."""

WAITING_BATCHES = 1000
"""How many batches may wait to be written, before the run waits for the disk."""


class _Copied(NamedTuple):
    """A value that a worker has written. token: what the run knows it by."""

    row: Row
    token: object


class _Parts(NamedTuple):
    """The digests of the parts of a task's code, as JSON."""

    task: str
    parts: str


class _Inputs(NamedTuple):
    """What a call that failed was made of. variables: the environment variables that its task declares, as JSON."""

    label: str
    payload: bytes
    variables: str


class JournalWriter:
    """The open journal of a run.

    required: whether the run is to end if it cannot be written. most: bytes of a value that is kept. place: the folder
    or URL where values are kept, if that is not beside the journal. Raises JournalError or OSError if another driver
    writes it, or it cannot be written at all.
    """

    def __init__(
        self, folder: RunFolder, *, most: int, required: bool = False, place: str | None = None
    ) -> None:
        self.folder = folder
        self.most = most
        self.required = required
        self.failed: Exception | None = None
        self.closed = False
        self._finished = False
        self.unseen: deque[object] = deque()
        with contextlib.ExitStack() as undo:
            folder.lock()
            undo.callback(folder.unlock)
            self._database = create(folder.database)
            undo.callback(self._database.close)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self._values = os.open(folder.values, flags, 0o600)
            undo.callback(os.close, self._values)
            self.shelf = None if place is None else self._open_shelf(place)
            undo.pop_all()
        self._queue: queue.Queue[_Item | None] = queue.Queue(WAITING_BATCHES)
        self._ending = threading.Event()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._write_all, name="turgo-journal", daemon=True)
        self._thread.start()

    def _open_shelf(self, place: str) -> Shelf:
        """The values of the run at another place. It is written down first, so that what lies there can be found."""
        self.folder.note_values_elsewhere()
        shelf = shelf_at(place, self.folder.id, new=True)
        shelf = attrs.evolve(shelf, number=number_of_place(self._database, shelf.place))
        if self.required:
            shelf.probe()
        return shelf

    def keep(self, task: str, identities: Sequence[bytes], values: Sequence[Any]) -> dict[int, str]:
        """Keep the values of calls, unless they are too large or cannot be pickled: why those at some places are not.

        Raises JournalError if the journal cannot be written and the run is not to go on without it.
        """
        self._check()
        task, payload = storable(task), pickled(list(values))
        if payload is not None and len(payload) <= self.most:
            self._put(Kept(task, b"".join(identities), payload))
            return {}
        if len(values) > 1:
            said = [self.keep(task, [one], [value]) for one, value in zip(identities, values, strict=True)]
            return {at: each[0] for at, each in enumerate(said) if each}
        return {0: "it cannot be pickled" if payload is None else f"it is larger than {self.most:,} bytes"}

    def keep_copy(
        self, task: str, identity: bytes, name: str, size: int, content: bytes, token: object
    ) -> None:
        """Note a value that a worker has written to the shelf, unless it is not seen there: then its token is `unseen`.

        Raises as `keep` does.
        """
        self._check()
        assert self.shelf is not None
        task = storable(task)
        digest = row_digest(task, identity, content)
        self._put(_Copied(Row(task, identity, self.shelf.number, name, 0, size, digest, content), token))

    def begin(self, identity: bytes) -> None:
        """Write that a call begins, to the disk itself: it is not to be made twice, whatever happens.

        Raises as `keep` does.
        """
        self._check()
        if self.failed is None:
            try:
                put_begun(self.folder.database, identity)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
                self._check()

    def put(self, facts: Mapping[str, Any]) -> None:
        """Write facts of the run. Raises as `keep` does."""
        self._check()
        self._put(facts)

    def put_parts(self, task: str, parts: Mapping[str, str]) -> None:
        """Write what the code of a task is made of. Raises as `keep` does."""
        self._check()
        self._put(_Parts(storable(task), json.dumps(dict(parts))))

    def put_inputs(self, label: str, made_of: Sequence[Any], variables: Mapping[str, str | None]) -> bool:
        """Write what a call that failed was made of, and return True, unless it is too large or cannot be pickled.

        variables: the environment variables that its task declares; None for one that was not set. Raises as `keep`.
        """
        self._check()
        payload = pickled(list(made_of))
        fits = payload is not None and len(payload) <= self.most
        if payload is not None and fits:
            self._put(_Inputs(storable(label), payload, json.dumps(variables)))
        return fits

    def watch(self, look: Callable[[], Seen]) -> None:
        """Write from now on what became of the task runs, now and then. look: says it, and is called in the thread."""
        self._watch = Watch(look)

    def _put(self, item: _Item) -> None:
        if self.failed is None:
            self._queue.put(item)

    def _check(self) -> None:
        if self.required and self.failed is not None:
            where = self.folder.path
            raise JournalError(f"the journal {where} cannot be written ([journal] required): {self.failed}")

    def finish(self) -> None:
        """Write what was put so far; nothing more may be put."""
        if not self._finished:
            self._finished = True
            self._ending.set()
            self._queue.put(None)
            self._thread.join()

    def write_end(
        self,
        facts: Mapping[str, Any],
        failures: Sequence[FailureFacts],
        columns: Mapping[str, bytes] | None = None,
    ) -> None:
        """Write how the run ended, and close the journal. columns: what became of each task run."""
        self.closed = True
        self.finish()
        try:
            if self.failed is None:
                with self._database as database:
                    database.execute("BEGIN")
                    put_record(database, columns or {}, failures)
                    put_facts(database, facts)
                os.fsync(self._values)
        except (OSError, ValueError, sqlite3.Error) as error:
            self._give_up(error)
        finally:
            self._close()

    def _close(self) -> None:
        try:
            self._database.close()
        except sqlite3.Error as error:
            self._give_up(error)
        os.close(self._values)
        self.folder.unlock()

    def _write_all(self) -> None:
        """Write what is put into the queue, until None is: the thread."""
        ended = False
        while not ended:
            items = self._next()
            if items and items[0] is not None:
                # the more there is to be written at once, the less it costs
                self._ending.wait(COLLECT_SECONDS)
            while not self._queue.empty():
                items.append(self._queue.get())
            ended = None in items
            if self.failed is None:
                try:
                    if items:
                        self._write([item for item in items if item is not None])
                    if self._watch is not None and not ended:
                        self._watch.write(self._database, fresh=bool(items))
                except (OSError, ValueError, sqlite3.Error) as error:  # ValueError: SQLite takes no such text
                    self._give_up(error)

    def _next(self) -> list[_Item | None]:
        """What is to be written, once there is something; nothing if only what became of the task runs is."""
        watch = self._watch if self.failed is None else None
        try:
            return [self._queue.get(timeout=None if watch is None else watch.due_seconds)]
        except queue.Empty:
            return []

    def _write(self, items: Sequence[_Item]) -> None:
        kept = [item for item in items if isinstance(item, Kept)]
        rows = self._write_own(kept) if self.shelf is None else self.shelf.write(kept)
        rows += self._seen_copies([item for item in items if isinstance(item, _Copied)])
        with self._database as database:
            database.execute("BEGIN")
            database.executemany(
                "INSERT INTO calls (task, identities, place, name, position, size, digest, content)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            for each in items:
                if isinstance(each, _Parts):
                    database.execute("INSERT OR REPLACE INTO tasks VALUES (?, ?)", each)
                elif isinstance(each, _Inputs):
                    database.execute("INSERT OR REPLACE INTO inputs VALUES (?, ?, ?)", each)
                elif not isinstance(each, Kept | _Copied):
                    put_facts(database, each)

    def _write_own(self, kept: Sequence[Kept]) -> list[Row]:
        """Write values to the file beside the database; their rows."""
        position = os.lseek(self._values, 0, os.SEEK_END)
        content = memoryview(b"".join(item.payload for item in kept))
        while content:
            content = content[os.write(self._values, content) :]
        rows = []
        for item in kept:
            rows.append(row_of(item, None, "", position))
            position += len(item.payload)
        return rows

    def _seen_copies(self, copies: Sequence[_Copied]) -> list[Row]:
        """The rows of those values that are there, as seen from here."""
        if self.shelf is None or not copies:
            return []
        sizes = self.shelf.sizes([each.row.name for each in copies])
        self.unseen += [each.token for each in copies if sizes.get(each.row.name) != each.row.size]
        return [each.row for each in copies if sizes.get(each.row.name) == each.row.size]

    def _give_up(self, error: Exception) -> None:
        if self.failed is None:
            self.failed = error
            if not self.required:
                where = self.folder.path
                logger.warning(
                    "the journal %s cannot be written: %s; this run goes on without it", where, error
                )


_Item = Kept | _Copied | _Parts | _Inputs | Mapping[str, Any]
"""What is put into the queue."""
