"""The values of runs at a place of their own: a folder, or a URL that others may write to as well."""

import logging
import os
import pickle
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from turgo import flow, task
from turgo.config.load import load_config
from turgo.errors import JournalError
from turgo.journal import shelf as shelves
from turgo.journal.archive import Archive
from turgo.journal.folder import LOCK, RunFolder, new_folder
from turgo.journal.limits import prune
from turgo.journal.rows import IDENTITY_BYTES
from turgo.journal.runs import all_runs, remove, size_of
from turgo.journal.shelf import place_in, shelf_at
from turgo.journal.writer import JournalWriter
from turgo.stores.url_store import UrlStore

MOST = 1 << 20
URL = "bucket://team/values"


def identity(number: int) -> bytes:
    return number.to_bytes(IDENTITY_BYTES, "big")


@pytest.fixture
def memory() -> Any:
    """What lies behind bucket://, nothing at first; in memory, which no user may name for it."""
    fsspec = pytest.importorskip("fsspec")
    kind: Any = fsspec.get_filesystem_class("memory")

    class Bucket(kind):  # type: ignore[misc]
        protocol = ("bucket",)

        @classmethod
        def _strip_protocol(cls, path: Any) -> Any:
            return kind._strip_protocol(str(path).replace("bucket://", "memory://"))

    fsspec.register_implementation("bucket", Bucket, clobber=True)
    found = fsspec.filesystem("memory")
    found.store.clear()
    yield found
    found.store.clear()


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return new_folder(tmp_path / "runs", "run-1")


def written(folder: RunFolder, place: str, count: int = 3, state: str = "Failed") -> None:
    """A run with values of 1,000 bytes at a place."""
    writer = JournalWriter(folder, most=MOST, place=place)
    for number in range(count):
        writer.keep("score", [identity(number)], [bytes([number]) * 1000])
    writer.write_end({"state": state}, [])


@pytest.mark.parametrize("kind", ["folder", "url"])
def test_values_lie_there_and_nowhere_else(
    kind: str, folder: RunFolder, tmp_path: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In few entries; they are read again, count in the size of the run, and go with it."""
    place = URL if kind == "url" else str(tmp_path / "values")
    monkeypatch.setattr(shelves, "ENTRY_BYTES", 2500)
    written(folder, place, 10)
    assert folder.values.stat().st_size == 0
    shelf = shelf_at(place, "run-1")
    assert 4 <= shelf.store.usage().entries <= 10
    earlier = Archive(folder)
    earlier.fetch([identity(number) for number in range(10)])
    assert [earlier.take(identity(number)) for number in range(10)] == [
        (bytes([n]) * 1000,) for n in range(10)
    ]
    assert size_of(folder) > 10_000
    remove(folder)
    assert not memory.find("/team") and not (tmp_path / "values" / "run-1").exists()


def test_a_run_goes_on_where_the_configuration_says_then(
    folder: RunFolder, tmp_path: Path, memory: Any
) -> None:
    """Each value is read from where it was written."""
    for number, place in enumerate((None, URL, str(tmp_path / "values"), URL)):
        writer = JournalWriter(folder, most=MOST, place=place)
        writer.keep("score", [identity(number)], [number])
        writer.write_end({}, [])
    earlier = Archive(folder)
    assert [earlier.take(identity(number)) for number in range(4)] == [(0,), (1,), (2,), (3,)]
    remove(folder)
    assert not memory.find("/team") and not (tmp_path / "values" / "run-1").exists()


class Planted:
    """What runs as code when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("fault", ["planted", "swapped", "gone"])
def test_what_others_put_there_is_not_unpickled(
    fault: str, folder: RunFolder, tmp_path: Path, memory: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The user's own rows say what each value was; what does not fit is told of, and its call runs again."""
    harm = tmp_path / "harm"
    written(folder, URL, 1)
    (path,) = memory.find("/team")
    if fault == "gone":
        memory.rm(path)
    else:
        other = pickle.dumps([Planted(harm)] if fault == "planted" else [b"\1" * 1000], protocol=5)
        memory.pipe(path, other)
    with caplog.at_level(logging.WARNING):
        earlier = Archive(folder)
        assert earlier.take(identity(0)) is None
    assert not harm.exists() and "a value of score in the journal run-1 cannot be taken over" in caplog.text


def test_a_place_out_of_reach_is_told_once(
    folder: RunFolder, memory: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By who resumes, however many values lie there, and by who removes the run."""
    written(folder, URL, 20)
    monkeypatch.setattr(UrlStore, "get", out_of_reach)
    monkeypatch.setattr(UrlStore, "remove", out_of_reach)
    with caplog.at_level(logging.WARNING):
        earlier = Archive(folder)
        assert [earlier.take(identity(number)) for number in range(20)] == [None] * 20
    assert len(caplog.records) == 1 and "what it was runs again" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        remove(folder)
    assert not folder.path.exists()
    assert len(caplog.records) == 1 and f"the values of run-1 at {URL} cannot be removed" in caplog.text


def test_values_that_somebody_removed_by_hand_are_no_trouble(
    folder: RunFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """To who removes the run; of a folder that is not mounted it is said."""
    written(folder, str(tmp_path / "values"))
    shutil.rmtree(tmp_path / "values" / "run-1")
    remove(folder)
    assert not caplog.records
    other = new_folder(tmp_path / "runs", "run-2")
    written(other, str(tmp_path / "values"))
    (tmp_path / "values").rename(tmp_path / "elsewhere")
    remove(other)
    assert "cannot be removed" in caplog.text and not (tmp_path / "values").exists()


def out_of_reach(*_: object) -> Any:
    raise OSError("no route to the bucket")


def test_pruning_counts_and_removes_what_lies_there(tmp_path: Path, memory: Any) -> None:
    """The oldest run goes, with its values."""
    for number in range(3):
        folder = new_folder(tmp_path / "runs", f"run-{number}")
        written(folder, URL)
        writer = JournalWriter(folder, most=MOST)
        writer.write_end({"state": "Failed"}, [])
        os.utime(folder.path / LOCK, (1e9 + number, 1e9 + number))
    sizes = [size_of(run.folder) for run in all_runs(tmp_path / "runs")]
    gone = prune(tmp_path / "runs", max_bytes=sizes[0] + sizes[1], max_age_days=100_000)
    assert gone == ["run-0"]
    assert Counter(path.split("/")[3] for path in memory.find("/team")).keys() == {"run-1", "run-2"}


def test_a_password_is_not_written_down(
    folder: RunFolder, memory: Any, monkeypatch: pytest.MonkeyPatch, no_settings_of_the_user: Path
) -> None:
    """The configuration has it, and gives it to who goes on with the run."""
    secret = "bucket://me:hunter2@team/values"
    monkeypatch.setenv("TURGO_JOURNAL__VALUES", secret)
    written(folder, secret, 1)
    assert b"hunter2" not in folder.database.read_bytes()
    assert Archive(folder).take(identity(0)) == (bytes(1000),)


def test_a_folder_is_meant_from_the_file_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the setting there is no such place."""
    (tmp_path / "turgo.toml").write_text('[journal]\nvalues = "kept"\n')
    assert place_in(load_config(tmp_path)) == str(tmp_path / "kept")
    (tmp_path / "turgo.toml").write_text("")
    assert place_in(load_config(tmp_path)) is None
    monkeypatch.setenv("TURGO_JOURNAL__VALUES", "~nobody-of-this-name/kept")
    with pytest.raises(JournalError, match="variable TURGO_JOURNAL__VALUES"):
        place_in(load_config(tmp_path))


@task
def half(number):
    return number / 2


@flow
def halves():
    return half.map([1, 2])


@pytest.mark.usefixtures("inline_as_local")
@pytest.mark.parametrize("fault", ["nobody knows it", "out of reach", "a file is there", "fsspec is missing"])
def test_a_place_that_cannot_be_written_to_is_told_once_or_refused(
    fault: str,
    tmp_path: Path,
    memory: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    no_settings_of_the_user: Path,
) -> None:
    """As a folder for journals is: the run goes on without it, or does not begin if it is required."""
    (tmp_path / "file").touch()
    place = {"nobody knows it": "gopher2://x", "a file is there": str(tmp_path / "file" / "values")}.get(
        fault, URL
    )
    monkeypatch.setenv("TURGO_JOURNAL__VALUES", place)
    if fault == "out of reach":
        monkeypatch.setattr(UrlStore, "put", out_of_reach)
    elif fault == "fsspec is missing":
        monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    with caplog.at_level(logging.WARNING):
        assert halves.run(journal=True).result == [0.5, 1.0]
    assert len(caplog.records) == 1 and "this run goes on without it" in caplog.text, caplog.text
    runs = no_settings_of_the_user / "state" / "turgo" / "runs"
    before = list(runs.iterdir())
    monkeypatch.setenv("TURGO_JOURNAL__REQUIRED", "true")
    with pytest.raises(JournalError, match="required"):
        halves.run(journal=True)
    assert list(runs.iterdir()) == before, "what did not begin leaves nothing"
