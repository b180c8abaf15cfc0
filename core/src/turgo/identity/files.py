"""Digests of the content of files. One that has not changed since is not read again."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

SETTLED_SECONDS = 2.0
"""Age from which the time of a file tells whether it changed: clocks of file systems are coarse."""

ABSENT = "absent"
FOLDER = "folder"
"""What stands for the content of a folder: only its path counts."""


class FileDigests:
    """Digests files, and remembers those that had been left alone for a while."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], str]] = {}

    def of(self, path: Path | str) -> str:
        """The digest of a file's content; a word for what is no file. Raises OSError for one that cannot be read."""
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        if stat.S_ISDIR(status.st_mode):
            return FOLDER
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is no ordinary file, so its content cannot be compared")
        facts = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._known.get(str(path))
        if known is not None and known[0] == facts:
            return known[1]
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time() - max(status.st_mtime, status.st_ctime) > SETTLED_SECONDS:
            self._known[str(path)] = (facts, digest)
        return digest
