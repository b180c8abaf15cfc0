"""The interface of stores: both stores have it, and share what an entry is called."""

import inspect
from pathlib import Path

import pytest

from turgo.stores.file_store import FileStore
from turgo.stores.store import KEY, Store, Usage
from turgo.stores.url_store import UrlStore


@pytest.mark.parametrize("kind", [FileStore, UrlStore])
def test_a_store_has_the_methods_of_the_interface(kind: type) -> None:
    """Each with the same parameters."""
    methods = [name for name, value in vars(Store).items() if inspect.isfunction(value) and name[0] != "_"]
    assert {"get", "put", "delete", "usage", "clear"} <= set(methods)
    for name in methods:
        assert list(inspect.signature(getattr(kind, name)).parameters) == list(
            inspect.signature(getattr(Store, name)).parameters
        )


def test_usage_counts_entries_and_bytes(tmp_path: Path) -> None:
    """Bytes as the disk counts them: what is given back when the entry is dropped."""
    store = FileStore(tmp_path / "cache", max_bytes=1 << 20)
    store.put({"a" * 40: b"xyz", "b" * 40: b""})
    usage = store.usage()
    assert usage == Usage(usage.entries, usage.size) and usage.entries == 2 and usage.size >= 3


@pytest.mark.parametrize("name", ["a" * 39, "a" * 41, "g" * 40, "A" * 40, "../" + "a" * 37])
def test_other_names_are_no_entries(name: str) -> None:
    """An entry is called by forty digits, so that nothing beside a store's own is touched."""
    assert KEY.fullmatch("0123456789abcdef" + "0" * 24)
    assert not KEY.fullmatch(name)
