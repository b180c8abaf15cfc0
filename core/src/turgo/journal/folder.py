"""The folder of one run: its files, who may read them, and the lock of the driver that writes them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from turgo.config.load import Config
from turgo.config.ownership import foreign, is_own_file
from turgo.errors import JournalError, StoreError
from turgo.stores.places import folder_of

DATABASE = "journal.sqlite"
VALUES = "values.bin"
LOCK = "lock"
"""Its time is that of the last start."""

ELSEWHERE = "elsewhere"
"""A file that is there if the run has values at another place."""


class RunFolder:
    """The folder of a run; it is the user's own. Raises JournalError if it is another user's, or open to others."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / DATABASE
        self.values = path / VALUES
        self._lock: int | None = None
        for each in (path.parent, path):
            check_owned(each)
        for name in (DATABASE, VALUES, LOCK):
            with contextlib.suppress(FileNotFoundError):
                if not is_own_file((path / name).lstat()):
                    raise JournalError(f"{path / name} is no plain file that this user alone may write to")

    @property
    def id(self) -> str:
        """The id of the run."""
        return self.path.name

    @property
    def has_values_elsewhere(self) -> bool:
        """Whether some values of the run lie at another place than beside its journal."""
        return (self.path / ELSEWHERE).exists()

    def note_values_elsewhere(self) -> None:
        """Note that some do."""
        (self.path / ELSEWHERE).touch(mode=0o600)

    def lock(self) -> None:
        """Keep other drivers out, until `unlock` or the end of this process. Raises JournalError if one is there."""
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise JournalError(
                f"the run {self.id} is being run by another driver: wait for its end"
            ) from error
        os.utime(descriptor)
        self._lock = descriptor

    def unlock(self) -> None:
        """Let others in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def in_use(self) -> bool:
        """Whether a driver runs it now."""
        try:
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False


def new_folder(root: Path, run_id: str) -> RunFolder:
    """A folder for a new run. Raises OSError if it cannot be made, JournalError if the root is not the user's own."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_owned(root)
    path = root / run_id
    path.mkdir(mode=0o700)
    return RunFolder(path)


def root_in(config: Config) -> Path:
    """The folder of the journals of all runs, a relative one beside the file that names it. Raises JournalError."""
    setting = config.journal["folder"]
    try:
        folder = folder_of(str(setting.value), setting.origin.folder)
    except StoreError as error:
        raise JournalError(f"{error} (from {setting.origin})") from None
    if folder is None:
        raise JournalError(f"journals lie in a folder, and {setting.value!r} is none (from {setting.origin})")
    return folder


def check_owned(path: Path) -> None:
    """Raise JournalError for a folder whose pickles somebody else may have written."""
    try:
        fault = foreign("the journal", path)
    except OSError as error:
        raise JournalError(f"the journal {path} cannot be read: {error.strerror or error}") from error
    if fault:
        raise JournalError(fault)
