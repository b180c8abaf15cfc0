"""Runs that are too old, or too much, go; most are judged without a look into their databases."""

import os
import sqlite3
import time
from pathlib import Path

import pytest

from turgo.errors import JournalError
from turgo.journal.folder import LOCK, new_folder
from turgo.journal.limits import prune
from turgo.journal.runs import all_runs, remove, size_of
from turgo.journal.writer import JournalWriter

HOUR_SECONDS = 3600.0
MUCH = 1 << 30


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three runs, begun an hour one after the other: one, two, three."""
    root = tmp_path / "runs"
    for number, name in enumerate(["one", "two", "three"]):
        JournalWriter(new_folder(root, name), most=1000).write_end({"state": "Failed"}, [])
        began = time.time() - HOUR_SECONDS * (3 - number)
        os.utime(root / name / LOCK, (began, began))
    return root


def test_the_oldest_go_until_the_rest_is_small_enough(root: Path) -> None:
    """Whatever else lies there stays."""
    (root / "a file").touch()
    (root / "link").symlink_to(root / "one")
    for name in ("empty", "photos"):  # the folder of the journals may be one that has other things in it
        (root / name).mkdir()
    (root / "photos" / "lock").touch()
    (root / "photos" / "cat.jpg").touch()
    for path in (root / "empty", root / "photos", root / "photos" / "lock"):
        os.utime(path, (1.0, 1.0))
    size = sum(size_of(run.folder) for run in all_runs(root) if run.id == "three")
    assert prune(root, max_bytes=MUCH, max_age_days=1) == []
    assert prune(root, max_bytes=size, max_age_days=1) == ["two", "one"]
    assert {path.name for path in root.iterdir()} == {"three", "a file", "link", "empty", "photos"}
    assert (root / "photos" / "cat.jpg").exists()
    assert prune(root / "none", max_bytes=1, max_age_days=1) == []


def test_a_run_that_goes_on_is_as_young_as_that(root: Path) -> None:
    """It does not go while it is at work, and counts as begun then."""
    for name in ("one", "two"):
        os.utime(root / name / LOCK, (1.0, 1.0))
    writer = JournalWriter(next(run.folder for run in all_runs(root) if run.id == "one"), most=1000)
    assert prune(root, max_bytes=1, max_age_days=1) == ["three", "two"]
    writer.write_end({}, [])
    assert prune(root, max_bytes=MUCH, max_age_days=1) == []
    os.utime(root / "one" / LOCK, (1.0, 1.0))
    assert prune(root, max_bytes=MUCH, max_age_days=1) == ["one"]


def test_no_database_is_opened_of_what_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run that begins would open all of them, and take a second for a thousand."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a database was opened")

    with monkeypatch.context() as closed:
        closed.setattr(sqlite3, "connect", never)
        assert prune(root, max_bytes=MUCH, max_age_days=1) == []
    assert prune(root, max_bytes=1, max_age_days=1) == ["three", "two", "one"]


def test_a_folder_of_somebody_else_is_refused(root: Path) -> None:
    """As it is to whoever reads there."""
    root.chmod(0o777)
    with pytest.raises(JournalError, match="others may write to the journal"):
        prune(root, max_bytes=1, max_age_days=1)
    root.chmod(0o700)
    remove(all_runs(root)[0].folder)
