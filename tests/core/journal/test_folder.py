"""The folder of a run: whose it is, and who writes it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from turgo.errors import JournalError
from turgo.journal.folder import RunFolder, check_owned, new_folder


def test_a_new_folder_is_the_users_alone(tmp_path: Path) -> None:
    """And so is what it lies in; two runs have no folder in common."""
    folder = new_folder(tmp_path / "state" / "runs", "run-1")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder.path, folder.path.parent)] == [0o700, 0o700]
    with pytest.raises(FileExistsError):
        new_folder(tmp_path / "state" / "runs", "run-1")


def test_one_driver_at_a_time_has_the_lock(tmp_path: Path) -> None:
    """The second is refused; a driver that was killed keeps nothing."""
    folder = new_folder(tmp_path / "runs", "run-1")
    script = (
        "import sys, pathlib; from turgo.journal.folder import RunFolder; "
        f"RunFolder(pathlib.Path({str(folder.path)!r})).lock(); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"locked\n"
        assert folder.in_use
        with pytest.raises(JournalError, match="run-1 is being run by another driver"):
            folder.lock()
        other.kill()
    assert not folder.in_use
    folder.lock()
    folder.unlock()


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    """What they put there would run as code."""
    folder = new_folder(tmp_path / "runs", "run-1")
    folder.path.chmod(0o777)
    with pytest.raises(JournalError, match=r"others may write to the journal .* chmod go-w"):
        RunFolder(folder.path)


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pickles would run as code here; and one that is not there is an error in words."""
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.raises(JournalError, match="belongs to another user"):
        check_owned(tmp_path)
    with pytest.raises(JournalError, match="cannot be read: No such file"):
        check_owned(tmp_path / "none")


@pytest.mark.parametrize("name", ["journal.sqlite", "values.bin", "lock"])
def test_a_file_that_somebody_put_there_is_refused(tmp_path: Path, name: str) -> None:
    """A pipe would be waited for; a link leads to what is not checked."""
    folder = new_folder(tmp_path / "runs", "run-1")
    os.mkfifo(folder.path / name)
    with pytest.raises(JournalError, match=f"{name} is no plain file"):
        RunFolder(folder.path)
    (folder.path / name).unlink()
    (folder.path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match=f"{name} is no plain file"):
        RunFolder(folder.path)


def test_a_folder_below_one_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    """Anybody could put another one in its place."""
    (tmp_path / "open").mkdir()
    folder = new_folder(tmp_path / "open" / "runs", "run-1")
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(JournalError, match=r"everybody may write to .*open"):
        RunFolder(folder.path)
