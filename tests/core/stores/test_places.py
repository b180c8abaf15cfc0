"""The store that a setting names."""

from pathlib import Path

import pytest

from turgo.errors import StoreError
from turgo.stores.file_store import FileStore
from turgo.stores.places import folder_of, open_place
from turgo.stores.url_store import UrlStore

KEY = "ab" * 20


def test_a_folder_is_meant_from_beside(tmp_path: Path) -> None:
    """Unless it is absolute, or a URL that says so."""
    assert folder_of("kept", tmp_path) == tmp_path / "kept"
    assert folder_of(str(tmp_path), Path("/elsewhere")) == tmp_path
    assert folder_of(f"file://{tmp_path}/a%20b", None) == tmp_path / "a b"
    assert folder_of("s3://bucket/kept", tmp_path) is None


def test_a_folder_without_a_limit_holds_whatever_it_is_given(tmp_path: Path) -> None:
    """And is removed with it."""
    store = open_place(str(tmp_path / "kept"))
    assert isinstance(store, FileStore) and store.max_bytes is None
    store.put({KEY: bytes(10_000)})
    assert store.sizes([KEY, "cd" * 20]) == {KEY: 10_000}
    where, within = store.target(KEY)
    assert Path(where, within).read_bytes() == bytes(10_000)
    store.remove()
    assert not (tmp_path / "kept").exists()


def test_what_others_may_write_to_is_refused(tmp_path: Path) -> None:
    """In the words of whoever asks for it."""
    tmp_path.chmod(0o777)
    with pytest.raises(StoreError, match="others may write to the shelf"):
        open_place(str(tmp_path), what="the shelf")
    with pytest.raises(StoreError, match="cannot be made"):
        open_place("~nobody-of-this-name/kept")


@pytest.mark.parametrize("where", ["a\0b", "file://a/%00", "\ud800", "file://[", "local://["])
def test_what_can_be_no_folder_is_refused_in_a_sentence(where: str, tmp_path: Path) -> None:
    """Nothing is made of it."""
    with pytest.raises(StoreError, match="cannot be made: "):
        open_place(where, tmp_path)
    assert not list(tmp_path.iterdir())


def test_any_other_url_is_opened_by_fsspec() -> None:
    """As one in memory."""
    pytest.importorskip("fsspec")
    assert isinstance(open_place("memory://kept"), UrlStore)
