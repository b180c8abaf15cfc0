"""Keeps the journals of runs within their limits: those that are too old, or too much, go.

Every run that begins looks at all of them, so they are judged by the times and sizes of their files. A database is
opened only to ask how much lies at another place.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from turgo.errors import JournalError
from turgo.journal.folder import DATABASE, ELSEWHERE, LOCK, VALUES, RunFolder, check_owned
from turgo.journal.runs import bytes_elsewhere, remove

DAY_SECONDS = 86_400.0


class _Found(NamedTuple):
    """A run. started: when it began, or was gone on with, in seconds since the epoch; size: bytes here."""

    started: float
    path: Path
    size: int
    elsewhere: bool


def prune(root: Path, *, max_bytes: int, max_age_days: int) -> list[str]:
    """Remove runs that are too old, then the oldest until the rest is small enough; the ids of those that went.

    Those that are at work, or cannot be removed, stay. Raises JournalError if the folder is another user's.
    """
    gone, total, oldest = [], 0, time.time() - max_age_days * DAY_SECONDS
    for run in sorted(_found(root), reverse=True):
        with contextlib.suppress(JournalError, OSError):
            total += run.size + (bytes_elsewhere(RunFolder(run.path)) if run.elsewhere else 0)
            if run.started < oldest or total > max_bytes:
                remove(RunFolder(run.path))
                gone.append(run.path.name)
    return gone


def _found(root: Path) -> Iterator[_Found]:
    if not root.is_dir():
        return
    check_owned(root)
    for folder in list(os.scandir(root)):
        if folder.is_dir(follow_symlinks=False):
            with contextlib.suppress(OSError):  # another driver removes it
                files = {each.name: each.stat(follow_symlinks=False) for each in os.scandir(folder.path)}
                if not _is_run(set(files)):
                    continue
                began = files.get(LOCK) or folder.stat(follow_symlinks=False)
                size = sum(each.st_size for each in files.values())
                yield _Found(began.st_mtime, Path(folder.path), size, ELSEWHERE in files)


def _is_run(names: set[str]) -> bool:
    """Whether a folder with such files is that of a run, which may be damaged; one of somebody's own is to stay."""
    return DATABASE in names or (LOCK in names and names <= {LOCK, VALUES, ELSEWHERE})
