"""What is taken over from an earlier run: whole values, each once, and never a damaged one."""

import logging
import pickle
import sqlite3
from pathlib import Path

import pytest

from turgo.errors import JournalError
from turgo.journal.archive import Archive
from turgo.journal.folder import RunFolder, new_folder
from turgo.journal.rows import IDENTITY_BYTES
from turgo.journal.writer import JournalWriter


def identity(number: int) -> bytes:
    return number.to_bytes(IDENTITY_BYTES, "big")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run with two values of `score`, in a row of their own each, of which the second is 22."""
    folder = new_folder(tmp_path / "runs", "run-1")
    writer = JournalWriter(folder, most=1 << 20)
    writer.keep("score", [identity(1)], ["eleven"])
    writer.keep("score", [identity(2), identity(2)], [22, 23])
    writer.write_end({"state": "Failed"}, [])
    return folder


def test_each_value_is_given_once(folder: RunFolder) -> None:
    """Two calls with one identity have a value each; a third one runs."""
    earlier = Archive(folder)
    assert [earlier.take(identity(2)) for _ in range(3)] == [(22,), (23,), None]
    assert earlier.take(identity(9)) is None


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_damaged_values_are_told_and_not_taken_over(
    folder: RunFolder, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A byte that was changed, a file that was cut short or removed."""
    content = bytearray(folder.values.read_bytes())
    if damage == "gone":
        folder.values.unlink()
    else:
        content[-1] ^= 1
        folder.values.write_bytes(content if damage == "flipped" else content[:-1])
    with caplog.at_level(logging.WARNING):
        earlier = Archive(folder)
        assert earlier.take(identity(2)) is None
        assert earlier.take(identity(1)) == (None if damage == "gone" else ("eleven",))
    assert "2 values of score in the journal run-1 cannot be taken over" in caplog.text


def test_a_row_of_another_call_is_not_taken_over(folder: RunFolder) -> None:
    """Whoever swaps identities in the database is found out."""
    database = sqlite3.connect(folder.database)
    with database:
        database.execute("UPDATE calls SET identities = ? WHERE number = 1", (identity(7),))
    database.close()
    assert Archive(folder).take(identity(7)) is None


def test_a_value_whose_class_is_gone_is_told(folder: RunFolder, caplog: pytest.LogCaptureFixture) -> None:
    """In one sentence, and the call runs again."""
    writer = JournalWriter(folder, most=1 << 20)

    class Gone:
        """Looked for by name when it is unpickled."""

        def __reduce__(self):
            return (pickle.loads, (b"cnowhere\nThing\n.",))

    writer.keep("score", [identity(5)], [Gone()])
    writer.write_end({}, [])
    with caplog.at_level(logging.WARNING):
        assert Archive(folder).take(identity(5)) is None
    assert "ModuleNotFoundError: No module named 'nowhere'" in caplog.text


@pytest.mark.parametrize(
    "change", ["position = 'x'", "size = 1.5", "place = 'x'", "place = 1, name = '../lock'"]
)
def test_a_row_that_is_none_is_refused(folder: RunFolder, change: str) -> None:
    """Whoever changes the database gets no file read that is no value, and no traceback."""
    database = sqlite3.connect(folder.database)
    with database:
        database.execute(f"UPDATE calls SET {change} WHERE number = 1")
    database.close()
    with pytest.raises(JournalError, match="is damaged: row 1"):
        Archive(folder)


def test_a_damaged_database_is_refused(folder: RunFolder) -> None:
    """As a whole, in words."""
    database = sqlite3.connect(folder.database)
    with database:
        database.execute("DROP TABLE calls")
    database.close()
    with pytest.raises(JournalError, match="is damaged: no such table"):
        Archive(folder)
