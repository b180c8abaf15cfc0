"""The facts of a run: written, read, and refused where they make no sense."""

import sqlite3
import stat
from pathlib import Path

import pytest

from turgo.errors import JournalError
from turgo.journal.database import FORMAT_VERSION, create, damage, facts_of, opened, put_facts


def test_facts_are_read_as_they_were_written(tmp_path: Path) -> None:
    """A later one in the place of an earlier one; the file is the user's alone."""
    path = tmp_path / "journal.sqlite"
    database = create(path)
    put_facts(database, {"state": "Running", "counts": {"Success": 3}})
    put_facts(database, {"state": "Failed"})
    database.close()
    again = opened(path)
    assert facts_of(again) == {"state": "Failed", "counts": {"Success": 3}}
    again.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("steps", "words"), [(1, "a newer turgo"), (-1, "an older turgo")])
def test_a_journal_of_another_version_is_refused(tmp_path: Path, steps: int, words: str) -> None:
    """Be it to read or to write."""
    path = tmp_path / "journal.sqlite"
    database = create(path)
    database.execute(f"PRAGMA user_version={FORMAT_VERSION + steps}")
    database.close()
    for use in (opened, create):
        with pytest.raises(JournalError, match=f"written by {words}"):
            use(path)


@pytest.mark.parametrize("content", [b"", b"no database at all " * 100, b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_journal_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    """Empty, something else, or cut short."""
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalError, match="damaged"):
        opened(path)


def test_a_cell_that_is_in_no_encoding_is_not_told(tmp_path: Path) -> None:
    """It may be a traceback, or what only its user may read."""
    said = sqlite3.OperationalError(
        "Could not decode to UTF-8 column 'log' with text 'Traceback (most\nrecent"
    )
    assert (
        str(damage(tmp_path, said))
        == f"the journal {tmp_path} is damaged: Could not decode to UTF-8 column 'log'"
    )


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Reading makes no file."""
    with pytest.raises(JournalError, match="no journal"):
        opened(tmp_path / "journal.sqlite")
    assert not list(tmp_path.iterdir())
    assert sqlite3.sqlite_version_info >= (3, 7)  # which has the write-ahead log
