"""The facts of one run, in SQLite: what was called, how it ended, and where the values lie.

facts      name, value        flow, parameters, executor, state, times
tasks      name, parts        the digest of each part of a task's code, as it was last
calls      identities         of the calls whose values are at `position` in the entry `name` of a place
places     number, place      a folder or URL with values; no place is the file beside the database
begun      identity           of calls that may not be made twice, written before they are sent
inputs     label, payload     function and arguments of calls that failed, to be replayed; and environment variables
failures   label, error …     of the last session
columns    name, content      what became of all task runs in the last session, as the engine packs it
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from turgo.errors import JournalError
from turgo.flows.shown_values import one_line
from turgo.records.failure_facts import FailureFacts

FORMAT_VERSION = 4
"""Of the files of a journal; another one is refused."""

SAID_CHARACTERS = 200
"""How much is told of what SQLite says."""

LOCKED_SECONDS = 60.0
"""How long one who writes waits for another: the driver's two connections, on a disk that has much else to do."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (name TEXT PRIMARY KEY, parts TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY, task TEXT NOT NULL, identities BLOB NOT NULL, place INTEGER,
    name TEXT NOT NULL, position INTEGER NOT NULL, size INTEGER NOT NULL, digest BLOB NOT NULL, content BLOB
);
CREATE TABLE IF NOT EXISTS places (number INTEGER PRIMARY KEY, place TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS inputs (
    label TEXT PRIMARY KEY, payload BLOB NOT NULL, variables TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (identity BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS failures (
    label TEXT NOT NULL, task TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    worker TEXT NOT NULL, error TEXT NOT NULL, traceback TEXT NOT NULL, log TEXT NOT NULL, replayable INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS columns (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
"""


def create(path: Path) -> sqlite3.Connection:
    """A database to be written, by whichever thread. Raises JournalError or OSError if it cannot be."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = _written(path)
    with _closed_on_error(connection, f"the journal {path.parent} cannot be written"):
        _check_version(connection, path)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={FORMAT_VERSION}; COMMIT;")
    return connection


def _written(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=LOCKED_SECONDS, check_same_thread=False, isolation_level=None)


def put_begun(path: Path, identity: bytes) -> None:
    """Write to the disk itself that a call begins. Raises sqlite3.Error.

    The connection is one of its own, as the other may be in the midst of what need not be on the disk yet. It reads
    nothing before it writes: what is read may be old when it is to be written, and SQLite does not wait then.
    """
    with contextlib.closing(_written(path)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("INSERT INTO begun VALUES (?)", (identity,))


def opened(path: Path) -> sqlite3.Connection:
    """A database to be read. Raises JournalError if it is none, was damaged, or is of another version of turgo."""
    if not path.is_file():
        raise JournalError(f"there is no journal at {path.parent}")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
    except sqlite3.Error as error:
        raise JournalError(f"the journal {path.parent} cannot be read: {error}") from error
    with _closed_on_error(connection, f"the journal {path.parent} is damaged"):
        _check_version(connection, path)
        connection.execute("SELECT count(*) FROM facts")
    return connection


def damage(folder: Path, error: object) -> JournalError:
    """The error for a journal that was damaged."""
    return JournalError(f"the journal {folder} is damaged: {_said(error)}")


def _said(error: object) -> str:
    """What SQLite says, in one line, without the text of a cell, as of a traceback, that it cannot decode."""
    return one_line(str(error).partition(" with text ")[0], SAID_CHARACTERS)


@contextmanager
def _closed_on_error(connection: sqlite3.Connection, what: str) -> Iterator[None]:
    """Close the connection if what is done inside fails; what SQLite says of it is a JournalError."""
    try:
        yield
    except (sqlite3.Error, UnicodeError) as error:  # what it has to say may be in no encoding
        connection.close()
        raise JournalError(f"{what}: {_said(error)}") from error
    except BaseException:
        connection.close()
        raise


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version in (0, FORMAT_VERSION):
        return
    which, remedy = (
        ("a newer", "upgrade turgo, or begin") if version > FORMAT_VERSION else ("an older", "begin")
    )
    message = (
        f"the journal {path.parent} was written by {which} turgo (format {version}, this one reads {FORMAT_VERSION}): "
        f"{remedy} a new run"
    )
    raise JournalError(message)


def format_of(path: Path) -> int:
    """Which format a database has; 0 if that cannot be said."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)
        ) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except (sqlite3.Error, UnicodeError):
        return 0


def put_facts(connection: sqlite3.Connection, facts: Mapping[str, Any]) -> None:
    """Write facts, each in the place of an older one of its name."""
    rows = [(name, json.dumps(value)) for name, value in facts.items()]
    connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", rows)


def facts_of(connection: sqlite3.Connection) -> dict[str, Any]:
    """All facts. Raises sqlite3.Error or ValueError if the database was damaged."""
    return {name: loaded(value) for name, value in connection.execute("SELECT name, value FROM facts")}


def loaded(text: Any) -> Any:
    """What JSON stands for. Raises ValueError if it is none: somebody may have changed the database."""
    try:
        return json.loads(text)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"it has no JSON in the place of some: {error}") from None


def bytes_in(cell: Any) -> bytes:
    """The content of a cell. Raises ValueError if it holds none."""
    if not isinstance(cell, bytes):
        raise ValueError(f"it has no bytes in the place of some, but {type(cell).__name__}")
    return cell


def storable(text: str) -> str:
    """A text as SQLite takes it: a name of a file that is in no encoding has parts that it does not take."""
    return text.encode(errors="backslashreplace").decode()


def failures_in(connection: sqlite3.Connection) -> list[FailureFacts]:
    """The failures of the last session, in their order. Raises sqlite3.Error or ValueError if it was damaged."""
    rows = list(connection.execute("SELECT * FROM failures ORDER BY rowid"))
    if any([*map(type, row)] != [str, str, str, str, int, str, str, str, str, int] for row in rows):
        raise ValueError("it has failures that are none")
    return [FailureFacts(*row)._replace(replayable=bool(row[-1])) for row in rows]


def number_of_place(connection: sqlite3.Connection, place: str) -> int:
    """The number of a folder or URL with values, above 0; it is written down now if it was not before."""
    connection.execute("INSERT OR IGNORE INTO places (place) VALUES (?)", (place,))
    (number,) = connection.execute("SELECT number FROM places WHERE place = ?", (place,)).fetchone()
    return int(number)


def places_in(connection: sqlite3.Connection) -> dict[int, str]:
    """The folders and URLs with values, by their numbers. Raises sqlite3.Error or ValueError if it was damaged."""
    places = dict(connection.execute("SELECT number, place FROM places"))
    if not all(isinstance(place, str) for place in places.values()):
        raise ValueError("it has places that are none")
    return places


def put_record(
    connection: sqlite3.Connection, columns: Mapping[str, bytes], failures: Sequence[FailureFacts]
) -> None:
    """Write what became of the task runs, in the place of what was written before."""
    connection.execute("DELETE FROM failures")
    rows = [[storable(each) if isinstance(each, str) else each for each in failure] for failure in failures]
    connection.executemany("INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.executemany("INSERT OR REPLACE INTO columns VALUES (?, ?)", list(columns.items()))
