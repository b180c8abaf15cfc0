"""The writer of a journal: what it keeps is read again, and what it cannot write ends nothing."""

import logging
import sqlite3
import stat
import threading
import time
from pathlib import Path

import pytest

from turgo.errors import JournalError
from turgo.journal.archive import Archive
from turgo.journal.database import facts_of, failures_in, opened
from turgo.journal.folder import RunFolder, new_folder
from turgo.journal.rows import IDENTITY_BYTES
from turgo.journal.runs import columns_of, failures_of, inputs_of
from turgo.journal.writer import JournalWriter
from turgo.records.failure_facts import FailureFacts

MOST = 1 << 20
FAILURE = FailureFacts(
    "score[3]", "score", "score[3] (n=3)", "Failed", 2, "w", "ValueError: 3", "at line 3", "its log", True
)


def identity(number: int) -> bytes:
    return number.to_bytes(IDENTITY_BYTES, "big")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return new_folder(tmp_path / "runs", "run-1")


def test_what_is_kept_is_read_again(folder: RunFolder) -> None:
    """Values with their identities, parts of code, facts and failures; the files are the user's alone."""
    writer = JournalWriter(folder, most=MOST)
    assert writer.keep("score", [identity(1), identity(2)], [10, {"twenty": 20}]) == {}
    writer.put_parts("score", {"work.py:score": "ab"})
    writer.put({"state": "Running"})
    writer.write_end({"state": "Failed"}, [FAILURE])
    earlier = Archive(folder)
    assert (earlier.take(identity(2)), earlier.take(identity(1))) == (({"twenty": 20},), (10,))
    assert earlier.parts == {"score": {"work.py:score": "ab"}} and earlier.counts == {"score": 2}
    database = opened(folder.database)
    assert facts_of(database) == {"state": "Failed"} and failures_in(database) == [FAILURE]
    database.close()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.path.iterdir()} == {0o600}


def test_what_was_written_before_a_sudden_end_is_whole(folder: RunFolder) -> None:
    """Of a writer that is never closed, all that it has written is found."""
    writer = JournalWriter(folder, most=MOST)
    writer.keep("score", [identity(1)], ["kept"])
    found = Archive(folder)
    while identity(1) not in found:  # the guard of the test run ends this if it never comes
        found = Archive(folder)
    assert found.take(identity(1)) == ("kept",)
    writer.write_end({}, [])


def test_values_that_cannot_be_kept_are_told_and_leave_the_others(folder: RunFolder) -> None:
    """One that cannot be pickled, one that is too large; a lambda can be."""
    writer = JournalWriter(folder, most=1000)
    said = writer.keep("score", [identity(at) for at in range(3)], [1, threading.Lock(), lambda: 2])
    assert said == {1: "it cannot be pickled"}
    assert writer.keep("score", [identity(3)], [bytes(2000)]) == {0: "it is larger than 1,000 bytes"}
    writer.write_end({}, [])
    earlier = Archive(folder)
    assert [identity(at) in earlier for at in range(4)] == [True, False, True, False]
    taken = earlier.take(identity(2))
    assert taken is not None and taken[0]() == 2


def test_what_became_of_the_task_runs_is_written_meanwhile(folder: RunFolder) -> None:
    """With the first bunch, as the driver may be killed at any moment; at the end it is replaced."""
    writer = JournalWriter(folder, most=MOST)
    writer.watch(lambda: ({"states": b"now"}, [FAILURE]))
    writer.keep("score", [identity(1)], [1])
    while not columns_of(folder):  # the guard of the test run ends this if it never comes
        pass
    assert columns_of(folder) == {"states": b"now"} and len(failures_of(folder)) == 1
    writer.write_end({}, [], {"states": b"later"})
    assert columns_of(folder) == {"states": b"later"} and failures_of(folder) == []


def test_what_came_last_is_seen_though_nothing_follows(folder: RunFolder) -> None:
    """While one call takes an hour, it is known what became of those that ended as it began."""
    now = [b"before"]
    writer = JournalWriter(folder, most=MOST)
    writer.watch(lambda: ({"states": now[0]}, []))
    writer.keep("score", [identity(1)], [1])
    while not columns_of(folder):  # the guard of the test run ends this if it never comes
        time.sleep(0.01)
    now[0] = b"after"
    while columns_of(folder)["states"] != b"after":
        time.sleep(0.01)
    writer.write_end({}, [])


def test_a_second_writer_is_refused(folder: RunFolder) -> None:
    """As long as the first is open."""
    writer = JournalWriter(folder, most=MOST)
    with pytest.raises(JournalError, match="another driver"):
        JournalWriter(RunFolder(folder.path), most=MOST)
    writer.write_end({}, [])
    JournalWriter(folder, most=MOST).write_end({}, [])


def full(*arguments: object) -> None:
    raise OSError(28, "No space left on device")


def test_calls_begin_while_values_are_written(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the run writes itself and what the thread writes do not lock one another out."""
    monkeypatch.setattr("turgo.journal.writer.COLLECT_SECONDS", 0.0)
    writer = JournalWriter(folder, most=MOST)
    for number in range(300):
        writer.keep("score", [identity(number)], [number])
        writer.begin(identity(number))
    assert writer.failed is None
    writer.write_end({}, [])
    earlier = Archive(folder)
    assert all(earlier.began(identity(number)) for number in range(300))


def test_a_full_disk_is_told_once_and_ends_nothing(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was written before can be taken over; a database in trouble is the same."""
    writer = JournalWriter(folder, most=MOST)
    monkeypatch.setattr(writer, "_write", full)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            writer.keep("score", [identity(number)], [number])
        writer.write_end({"state": "Success"}, [])
    lines = [each.message for each in caplog.records]
    assert len(lines) == 1 and "No space left on device; this run goes on without it" in lines[0]
    assert isinstance(writer.failed, OSError) and not isinstance(writer.failed, sqlite3.Error)


def test_a_required_journal_that_cannot_be_written_is_an_error(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the next call on."""
    writer = JournalWriter(folder, most=MOST, required=True)
    monkeypatch.setattr(writer, "_write", full)
    with pytest.raises(JournalError, match=r"required.*No space left"):
        while True:  # until the thread has met the trouble
            writer.keep("score", [identity(1)], [1])
    writer.write_end({}, [])


def test_a_failure_that_is_in_no_encoding_is_written(folder: RunFolder) -> None:
    """As the name of a file that somebody else has named: SQLite takes no such text, and the run goes on and ends."""
    name = "\udcff.txt"
    writer = JournalWriter(folder, most=MOST)
    writer.keep(f"score {name}", [identity(1)], [1])
    assert writer.put_inputs(f"score[{name}]", ("a", "b"), {})
    writer.watch(lambda: ({}, [FAILURE._replace(error=f"FileNotFoundError: {name}")]))
    writer.keep("score", [identity(2)], [2])
    writer.write_end({"state": "Failed"}, [FAILURE._replace(error=f"FileNotFoundError: {name}")])
    assert writer.failed is None
    assert failures_of(folder)[0].error == "FileNotFoundError: \\udcff.txt"
    assert inputs_of(folder, f"score[{name}]")[1] == {}
    earlier = Archive(folder)
    assert (earlier.take(identity(1)), earlier.take(identity(2))) == ((1,), (2,))
