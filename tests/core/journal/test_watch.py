"""What became of the task runs is written again after a while, and as long as it may have changed."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from turgo.journal import watch as watches
from turgo.journal.database import create
from turgo.journal.watch import Watch


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """That of a journal."""
    with contextlib.closing(create(tmp_path / "journal.sqlite")) as database:
        yield database


def states_in(database: sqlite3.Connection) -> list[bytes]:
    """What was written of the states."""
    return [content for (content,) in database.execute("SELECT content FROM columns")]


def test_it_is_not_written_again_at_once(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But it is due; the first time is at once."""
    monkeypatch.setattr(watches, "SEEN_SECONDS", 3600.0)
    seen = iter([b"first", b"second"])
    watch = Watch(lambda: ({"states": next(seen)}, []))
    assert watch.due_seconds is None
    for _ in range(2):
        watch.write(database, fresh=True)
        assert states_in(database) == [b"first"]
        assert watch.due_seconds is not None and watch.due_seconds > 0


def test_it_is_due_until_nothing_was_fresh(
    database: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written just now may not have been taken in, so that it is looked once more."""
    monkeypatch.setattr(watches, "SEEN_SECONDS", 0.0)
    monkeypatch.setattr(watches, "SEEN_SHARE", 0)
    seen = iter([b"first", b"second"])
    watch = Watch(lambda: ({"states": next(seen)}, []))
    watch.write(database, fresh=True)
    assert watch.due_seconds == 0.0
    watch.write(database, fresh=False)
    assert states_in(database) == [b"second"] and watch.due_seconds is None
