"""The store in a folder: safe modes, whole files, a size limit, and processes that share it."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from turgo.caching.entries import open_entry, pack
from turgo.errors import StoreError
from turgo.stores.file_store import ABANDONED_AFTER_SECONDS, FileStore

GIB = 1 << 30


def key(number: int) -> str:
    return f"{number:02x}" + f"{number:038x}"


def store(tmp_path: Path, max_bytes: int = GIB) -> FileStore:
    return FileStore(tmp_path / "cache", max_bytes=max_bytes)


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def file_of(tmp_path: Path, number: int) -> Path:
    return tmp_path / "cache" / key(number)[:2] / key(number)[2:]


def test_entries_come_back_until_they_are_deleted(tmp_path: Path) -> None:
    """What is not there is left out; another instance sees the same; a second put replaces the first."""
    one = store(tmp_path)
    one.put({key(1): b"one", key(2): b"two"})
    one.put({key(2): b"zwei"})
    assert store(tmp_path).get([key(1), key(2), key(3)]) == {key(1): b"one", key(2): b"zwei"}
    assert one.usage().entries == 2
    one.delete([key(1), key(3)])
    assert one.get([key(1), key(2)]) == {key(2): b"zwei"}
    assert one.clear() == 1 and one.usage() == (0, 0)


def test_nobody_else_can_read_what_is_kept(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600, whatever the mask says, and nothing is left aside."""
    before = os.umask(0)
    try:
        store(tmp_path).put({key(1): b"one"})
    finally:
        os.umask(before)
    folder = tmp_path / "cache"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert modes == {"cache": 0o700, key(1)[:2]: 0o700, key(1)[2:]: 0o600}


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    """The error says how to mend it; read access of others is no danger."""
    folder = tmp_path / "cache"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StoreError, match=f"chmod go-w {folder}"):
        store(tmp_path)
    folder.chmod(0o755)
    assert store(tmp_path).usage().entries == 0


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pickles would run as code of ours; an entry of another user in our own folder is as good as none."""
    store(tmp_path).put({key(1): b"one"})
    opened = store(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(StoreError, match="belongs to another user"):
        store(tmp_path)
    assert opened.get([key(1)]) == {}


def test_over_the_limit_what_was_used_longest_ago_goes(tmp_path: Path) -> None:
    """Reading counts as use; the newest stay, and the folder is below its limit again."""
    entry = bytes(100_000)
    one = store(tmp_path, max_bytes=1_000_000)
    for number in range(8):
        one.put({key(number): entry})
        age(file_of(tmp_path, number), 1000 - number)
    assert one.usage().entries == 8
    assert set(one.get([key(0)])) == {key(0)}
    for number in range(8, 12):
        one.put({key(number): entry})
    assert one.usage().size <= 1_000_000
    there = {number for number in range(12) if file_of(tmp_path, number).exists()}
    assert {0, 9, 10, 11} <= there and not {1, 2} & there


def test_what_a_dead_process_left_aside_is_removed_and_what_is_not_ours_is_not(tmp_path: Path) -> None:
    """Pruning and clearing touch nothing but entries, and files aside that are old."""
    one = store(tmp_path, max_bytes=50_000)
    one.put({key(1): b"one"})
    folder = file_of(tmp_path, 1).parent
    for name in (".new-old", ".new-young", "notes.txt"):
        (folder / name).write_bytes(bytes(10))
    (tmp_path / "cache" / "README").write_text("mine")
    age(folder / ".new-old", ABANDONED_AFTER_SECONDS + 10)
    one.put({key(2): bytes(60_000)})
    one.clear()
    left = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert left == {".new-young", "notes.txt", "README"}


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither a part of the entry nor a file aside: the old entry is still there."""
    one = store(tmp_path)
    one.put({key(1): b"old"})
    file_of(tmp_path, 1).unlink()
    file_of(tmp_path, 1).mkdir()  # so that nothing can be put in its place
    with pytest.raises(IsADirectoryError):
        one.put({key(1): b"new"})
    assert [path.name for path in file_of(tmp_path, 1).parent.iterdir()] == [key(1)[2:]]


SHARED = """
import random, sys
from pathlib import Path
from turgo.caching.entries import open_entry, pack
from turgo.stores.file_store import FileStore

seed, folder = int(sys.argv[1]), Path(sys.argv[2])
store = FileStore(folder, max_bytes=400_000)
drawn = random.Random(seed)
hits = 0
for turn in range(600):
    number = drawn.randrange(40)
    key = f"{number:040x}"
    for _, entry in store.get([key]).items():
        value = open_entry(key, entry)  # raises if it is not whole
        assert value == bytes([number]) * 20_000, number
        hits += 1
    store.put({key: pack(key, bytes([number]) * 20_000, 1.0)})
    if turn % 50 == 0:
        store.delete([key])
print(hits)
"""


def test_processes_share_a_folder(tmp_path: Path) -> None:
    """Four of them read, write, delete and prune the same entries: each read brings a whole entry, or none."""
    command = [sys.executable, "-c", SHARED]
    running = [
        subprocess.Popen(
            [*command, str(seed), str(tmp_path / "cache")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for seed in range(4)
    ]
    for process in running:
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, err.decode()
        assert int(out) > 50
    assert FileStore(tmp_path / "cache", max_bytes=400_000).usage().size <= 2 * 400_000


def test_a_truncated_file_is_found(tmp_path: Path) -> None:
    """What is left of an entry on a full disk does not pass for one."""
    one = store(tmp_path)
    one.put({key(1): pack(key(1), list(range(1000)), 0.0)})
    path = file_of(tmp_path, 1)
    os.truncate(path, path.stat().st_size // 2)
    entry = one.get([key(1)])[key(1)]
    with pytest.raises(Exception, match="damaged"):
        open_entry(key(1), entry)


@pytest.mark.parametrize("kind", ["pipe", "socket", "link", "folder", "theirs"])
def test_what_is_no_plain_entry_of_ones_own_is_as_good_as_none(tmp_path: Path, kind: str) -> None:
    """Nobody waits for a pipe, and what others may write is not unpickled."""
    one = store(tmp_path)
    one.put({key(1): b"one", key(2): b"two"})
    planted = file_of(tmp_path, 1)
    planted.unlink()
    if kind == "pipe":
        os.mkfifo(planted)
    elif kind == "socket":
        os.mknod(planted, stat.S_IFSOCK | 0o600)
    elif kind == "link":
        planted.symlink_to(file_of(tmp_path, 2))
    elif kind == "folder":
        planted.mkdir()
    else:
        planted.write_bytes(b"theirs")
        planted.chmod(0o666)
    assert one.get([key(1), key(2)]) == {key(2): b"two"}
