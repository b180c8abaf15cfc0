"""Entries of caches that were damaged or planted: the value that was kept, or a miss. Nothing else is unpickled."""

from __future__ import annotations

import contextlib
import os
import pickle
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from turgo.caching.entries import MAGIC, open_entry, pack, written
from turgo.errors import CorruptEntryError, StoreError
from turgo.registry.source_files import load_source
from turgo.stores.file_store import FileStore
from turgo.stores.places import folder_of, open_place
from turgo.stores.signatures import SIGNATURE_BYTES, SignedStore
from turgo.stores.store import Usage

inputs = load_source(Path(__file__).with_name("inputs.py"))
fuzzed, refused_or_taken, Planted = inputs.fuzzed, inputs.refused_or_taken, inputs.Planted

KEY, OTHER = "ab" * 20, "cd" * 20
VALUES: tuple[Any, ...] = (17, "Basel", {"a": [1.5, None]}, b"\0" * 1000)
ENTRIES = tuple(pack(KEY, value, 1e9) for value in VALUES)
SIGNING_KEY = bytes(32)


PLANTED = pickle.dumps(Planted())
FORGED = (
    MAGIC + bytes(40) + PLANTED,
    pack(OTHER, 1, 1e9) + PLANTED,
    ENTRIES[0][:56] + PLANTED,
    PLANTED,
    b"",
)


class Behind:
    """What lies behind a URL, for whoever writes there."""

    where, max_bytes = "bucket://team", None

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Those that are there."""
        return {key: self.entries[key] for key in keys if key in self.entries}

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep them."""
        self.entries.update(entries)

    def delete(self, keys: Any) -> None:
        """Drop them."""

    def usage(self) -> Usage:
        """None."""
        return Usage(0, 0)

    def clear(self) -> int:
        """Drop all."""
        return 0


@fuzzed(inputs.mutated((*ENTRIES, *FORGED)))
def test_an_entry_is_the_value_that_was_kept_or_damaged(entry: bytes) -> None:
    """Whatever was changed in it."""
    try:
        age = time.time() - written(entry)
        value = open_entry(KEY, entry)
    except CorruptEntryError:
        assert entry not in ENTRIES
    else:
        assert entry in ENTRIES and value in VALUES and isinstance(age, float)
    assert not Planted.ran


@fuzzed(inputs.mutated([bytes(SIGNATURE_BYTES) + each for each in (*ENTRIES, *FORGED)]))
def test_what_somebody_else_has_put_behind_a_url_is_not_there(content: bytes) -> None:
    """Nor is what this user has signed for another name."""
    behind = Behind()
    store = SignedStore(behind, SIGNING_KEY, trust="nobody")
    store.put({KEY: ENTRIES[0]})
    signed = behind.entries[KEY]
    behind.put({KEY: content, OTHER: signed})
    store._told = True  # type: ignore[attr-defined]  # a line in the log for each would be a million of them
    assert store.get([KEY, OTHER]) == {}
    behind.put({KEY: signed})
    assert store.get([KEY]) == {KEY: ENTRIES[0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> FileStore:
    """A cache in a folder."""
    return FileStore(tmp_path_factory.mktemp("cache"), max_bytes=1 << 20)


KINDS = ("file", "open", "link", "loop", "fifo", "folder", "socket")


@fuzzed(inputs.mutated(FORGED), st.sampled_from(KINDS), slow=True)
def test_a_planted_file_is_a_miss_or_damaged(folder: FileStore, data: bytes, kind: str) -> None:
    """Whatever kind of file it is: nobody waits for it, and no link is followed."""
    path = Path(folder.where, KEY[:2], KEY[2:])
    path.parent.mkdir(exist_ok=True)
    planted(path, data, kind)
    try:
        found = folder.get([KEY, OTHER])
        assert found.keys() <= {KEY} and (kind == "file" or not found)
        for entry in found.values():
            with pytest.raises(CorruptEntryError):
                open_entry(KEY, entry)
        folder.sizes([KEY])
        folder.usage()
    finally:
        path.rmdir() if kind == "folder" else path.unlink()
    assert not Planted.ran


def planted(path: Path, data: bytes, kind: str) -> None:
    """Put a file there, or what is none."""
    beside = path.with_name("beside")
    beside.write_bytes(data)
    if kind in ("file", "open"):
        path.write_bytes(data)
        path.chmod(0o600 if kind == "file" else 0o666)
    elif kind in ("link", "loop"):
        path.symlink_to(beside if kind == "link" else path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mknod(path, 0o600 | 0o140000)


PLACES = ("cache", "./cache", "file:///tmp/none", "memory://team/x", "local://a", "nowhere://x", "C:\\x")
PLACE_PIECES = (
    "://",
    "file",
    "memory",
    "[",
    "]",
    "//",
    "..",
    "\0",
    "\n",
    "%00",
    "%",
    "?",
    "#",
    "@",
    ":",
    "~",
    "~nobody-here",
    "é",
    "\ud800",
    "a" * 300,
    "::",
    " ",
    "simplecache",
)


@fuzzed(inputs.mutated_text(PLACES, PLACE_PIECES), slow=True)
def test_a_place_that_can_be_none_is_refused_with_one_sentence(tmp_path_factory: Any, where: str) -> None:
    """A folder is made below the file that names it; a URL opens what its name says."""
    root = tmp_path_factory.getbasetemp() / "places"
    if where.startswith(("/", "~")) or ".." in where or where.lower().startswith(("file", "local")):
        root = None
    with (
        contextlib.suppress(OSError),
        refused_or_taken(kind=StoreError),
    ):  # a name too long; a file in the way
        if root is None:
            folder_of(where, Path("/"))
        elif "://" not in where or where.startswith(("memory", "nowhere")):
            open_place(where, root, max_bytes=1000).usage()
