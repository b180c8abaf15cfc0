"""Digests of files: what was written counts, however soon after."""

import os
from pathlib import Path

import pytest

from turgo.identity.files import FileDigests


def test_another_content_has_another_digest(tmp_path: Path) -> None:
    """Of the same length, written at once."""
    files, file = FileDigests(), tmp_path / "data"
    seen = set()
    for number in range(50):
        file.write_text(f"{number:03}")
        seen.add(files.of(file))
    assert len(seen) == 50


def test_a_file_that_was_left_alone_is_read_once(tmp_path: Path) -> None:
    """Its times say that it did not change; a copy of it has the same digest."""
    files, file, copy = FileDigests(), tmp_path / "data", tmp_path / "copy"
    file.write_text("same")
    copy.write_text("same")
    assert files.of(file) == files.of(str(copy))


def test_what_is_no_file_has_a_word(tmp_path: Path) -> None:
    """What is absent, a folder; and a pipe is refused, as reading it would not end."""
    files, pipe = FileDigests(), tmp_path / "pipe"
    assert files.of(tmp_path / "none") == files.of(tmp_path / "none" / "below") == "absent"
    assert files.of(tmp_path) == "folder"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no ordinary file"):
        files.of(pipe)
