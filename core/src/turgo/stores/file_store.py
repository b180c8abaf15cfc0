"""A store keeps its entries in a folder. Each entry is one file, which only its owner can read.

    folder (0700) / first two digits of the key (0700) / the other digits (0600)

A file is written aside and put in place as a whole, so that processes share the folder without locks. Over the size
limit, what was used longest ago goes; the time of a file is that of its last use.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from turgo.config.ownership import foreign, is_own_file, open_own
from turgo.errors import StoreError
from turgo.stores.store import KEY, Usage

TOUCH_AFTER_SECONDS = 60.0
"""Seconds in which a file is not marked as used once more."""

ABANDONED_AFTER_SECONDS = 3600.0
"""Seconds after which a file that was written aside belongs to a process that has died."""

_ASIDE = ".new-"


class FileStore:
    """A folder of entries. max_bytes: what they may take on the disk together, None for any; what: it is, for messages.

    Raises StoreError for a folder that is another user's, or that others may write to, as its pickles would run as
    code; OSError if it cannot be made.
    """

    def __init__(self, folder: Path, *, max_bytes: int | None, what: str = "the cache folder") -> None:
        self.max_bytes = max_bytes
        self._most = math.inf if max_bytes is None else max_bytes
        self.where = str(folder)
        # Bytes that may be written before the folder is looked through again.
        self._room = -1.0 if max_bytes is not None else math.inf
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if fault := foreign(what, folder):
            raise StoreError(fault)

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Those of the entries that are there; they count as used now."""
        found, now = {}, time.time()
        for key in keys:
            with contextlib.suppress(FileNotFoundError):
                found[key] = self._read(self._path(key), now)
        return found

    def _read(self, path: str, now: float) -> bytes:
        """The bytes of a file of our own; one that somebody else put there is as good as none."""
        descriptor = open_own(path)
        with open(descriptor, "rb", buffering=0) as file:
            if now - os.fstat(descriptor).st_mtime > TOUCH_AFTER_SECONDS:
                os.utime(descriptor)
            return file.readall()

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Write the entries; over the size limit, drop those that were used longest ago."""
        for key, entry in entries.items():
            self._write(self._path(key), entry)
            self._room -= max(len(entry), 4096)
        if self._room < 0:
            self._prune()

    def _write(self, path: str, entry: bytes) -> None:
        folder = os.path.dirname(path)
        aside = os.path.join(folder, f"{_ASIDE}{uuid.uuid4().hex}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(aside, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            descriptor = os.open(aside, flags, 0o600)
        try:
            with open(descriptor, "wb", buffering=0) as file:
                left = memoryview(entry)
                while left:
                    left = left[file.write(left) :]
            os.replace(aside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            raise

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the files of the entries."""
        for key in keys:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(key))

    def usage(self) -> Usage:
        """How many entries there are, and what they take on the disk."""
        sizes = [size for _, size, _ in self._files()]
        return Usage(len(sizes), sum(sizes))

    def clear(self) -> int:
        """Remove all entries; how many they were."""
        files = list(self._files())
        for _, _, path in files:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        return len(files)

    def sizes(self, keys: Sequence[str]) -> dict[str, int]:
        """How many bytes those of the entries have that are there, and are the user's own."""
        found = {}
        for key in keys:
            with contextlib.suppress(FileNotFoundError):
                status = os.lstat(self._path(key))
                if is_own_file(status):
                    found[key] = status.st_size
        return found

    def remove(self) -> None:
        """Remove all entries, and the folder if nothing else lies in it."""
        self.clear()
        with contextlib.suppress(OSError):
            for folder in list(os.scandir(self.where)):
                os.rmdir(folder.path)
            os.rmdir(self.where)

    def target(self, key: str) -> tuple[str, str]:
        """Where another process can write an entry: the folder, and its path below that."""
        return self.where, os.path.relpath(self._path(key), self.where)

    def _path(self, key: str) -> str:
        return f"{self.where}/{key[:2]}/{key[2:]}"

    def _files(self) -> Iterator[tuple[float, int, str]]:
        """Of each entry when it was used last, its bytes on the disk, and its path."""
        for folder in os.scandir(self.where):
            if len(folder.name) == 2 and folder.is_dir(follow_symlinks=False):
                for file in os.scandir(folder.path):
                    ours = KEY.fullmatch(folder.name + file.name) is not None
                    with contextlib.suppress(FileNotFoundError):
                        status = file.stat(follow_symlinks=False)
                        if ours:
                            yield status.st_mtime, max(status.st_blocks * 512, status.st_size), file.path
                        elif (
                            file.name.startswith(_ASIDE)
                            and time.time() - status.st_mtime > ABANDONED_AFTER_SECONDS
                        ):
                            os.unlink(file.path)

    def _prune(self) -> None:
        """Look through the folder, and make room if it is too full: down to nine tenths, so that it lasts a while.

        Other processes write too, so it is looked through again after a twentieth of the limit was written here.
        """
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        if total > self._most:
            for _, size, path in files:
                if total <= self._most * 0.9:
                    break
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                total -= size
        self._room = min(self._most - total, self._most / 20)
