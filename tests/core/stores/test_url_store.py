"""Stores behind URLs: whatever fsspec opens."""

import sys

import pytest

from turgo.errors import StoreError
from turgo.stores.url_store import UrlStore

KEY, OTHER = "ab" * 20, "cd" * 20


@pytest.fixture
def fsspec():
    """fsspec, with an empty memory."""
    found = pytest.importorskip("fsspec")
    memory = found.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def test_entries_come_back_until_they_are_deleted(fsspec) -> None:
    """The same as a folder does; what is not there is left out."""
    store = UrlStore("memory://team/cache")
    assert store.usage() == (0, 0) and store.get([KEY]) == {} and store.get([KEY, OTHER]) == {}
    store.put({KEY: b"one", OTHER: b"two"})
    store.put({OTHER: b"zwei"})
    assert UrlStore("memory://team/cache/").get([KEY, OTHER, "ef" * 20]) == {KEY: b"one", OTHER: b"zwei"}
    assert store.usage() == (2, 7)
    store.delete([KEY, "ef" * 20])
    assert store.get([KEY]) == {}


def test_no_message_has_the_password_of_the_url(fsspec, monkeypatch) -> None:
    """Though those of the client library have it."""
    from fsspec import core

    def refuse(url: str) -> None:
        raise ValueError(f"no such thing as {url}")

    monkeypatch.setattr(core, "url_to_fs", refuse)
    with pytest.raises(StoreError, match=r"bob:\*\*\*@host") as refused:
        UrlStore("memory://bob:hunter2@host/cache")
    assert "hunter2" not in str(refused.value)


def test_clearing_leaves_alone_what_is_not_an_entry(fsspec) -> None:
    """A bucket may hold other things."""
    store = UrlStore("memory://team")
    store.put({KEY: b"one"})
    fsspec.pipe("/team/report.csv", b"mine")
    assert store.clear() == 1
    assert fsspec.cat("/team/report.csv") == b"mine"


def test_a_filesystem_with_folders_gets_them(fsspec, tmp_path) -> None:
    """The folder of the URL is made when the first entry is written."""
    store = UrlStore(f"local://{tmp_path}/a/b")
    store.put({KEY: b"one"})
    assert (tmp_path / "a" / "b" / KEY).read_bytes() == b"one"
    assert store.get([KEY, OTHER]) == {KEY: b"one"}


def test_sizes_are_of_those_that_are_there(fsspec) -> None:
    """One that another process has written among them; those that are not there are left out."""
    store = UrlStore("memory://team")
    fsspec.pipe("/team/" + "/".join(store.target(KEY)[1:]), b"three")
    assert store.sizes([KEY]) == {KEY: 5} and store.sizes([KEY, OTHER]) == {KEY: 5}


def test_a_folder_is_removed_with_its_entries_unless_something_else_lies_there(fsspec, tmp_path) -> None:
    """As that of a run."""
    for name in ("own", "shared"):
        UrlStore(f"local://{tmp_path}/{name}").put({KEY: b"one"})
    (tmp_path / "shared" / "report.csv").touch()
    for name in ("own", "shared", "never"):
        UrlStore(f"local://{tmp_path}/{name}").remove()
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["shared", "report.csv"]


def test_trouble_of_the_filesystem_is_an_os_error(fsspec, monkeypatch) -> None:
    """Whatever its client library raises, and not taken for an entry that is not there."""
    store = UrlStore("memory://team")
    store.put({KEY: b"one"})

    class OddError(Exception):
        pass

    def refuse(*args, **kwargs):
        raise OddError("no credentials")

    monkeypatch.setattr(type(store._fs), "cat_file", refuse)
    monkeypatch.setattr(type(store._fs), "pipe_file", refuse)
    for deed in (lambda: store.get([KEY]), lambda: store.put({KEY: b"two"})):
        with pytest.raises(OSError, match="OddError: no credentials"):
            deed()


def test_an_unknown_kind_of_url_is_an_error(fsspec) -> None:
    """The message holds the URL."""
    with pytest.raises(StoreError, match="gopher2://x cannot be opened"):
        UrlStore("gopher2://x")


def test_without_fsspec_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything runs."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(StoreError, match=r"pip install 'turgo\[fsspec\]'"):
        UrlStore("s3://bucket/cache")
