"""What is the user's own, and may be unpickled."""

import os
from pathlib import Path

import pytest

from turgo.config.ownership import doubt, foreign, is_own_file, open_own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is the user's own, on a way that is safe."""
    made = tmp_path / "way" / "own"
    made.mkdir(mode=0o700, parents=True)
    return made


def test_a_folder_of_ones_own_is_no_danger(folder: Path) -> None:
    """Nor is it one that others may read, or that lies below a sticky folder as /tmp is."""
    assert foreign("the cache", folder) == ""
    folder.chmod(0o755)
    folder.parent.chmod(0o1777)
    assert foreign("the cache", folder) == ""


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_one_that_others_may_write_to_is(folder: Path, mode: int) -> None:
    """The sentence ends with what mends it."""
    folder.chmod(mode)
    assert foreign("the cache", folder).endswith(f"chmod go-w {folder}")


def test_one_that_others_may_put_another_in_the_place_of_is(folder: Path) -> None:
    """Wherever on the way, also behind a link."""
    folder.parent.chmod(0o777)
    assert foreign("the cache", folder).endswith(f"chmod o-w {folder.parent}")
    link = folder.parent.parent / "link"
    link.symlink_to(folder)
    assert "everybody may write to" in foreign("the cache", link)


def test_one_of_another_user_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its mode."""
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert "the cache" in foreign("the cache", folder) and "another user" in foreign("the cache", folder)


def test_only_a_plain_file_of_ones_own_is_opened(folder: Path) -> None:
    """A pipe is not waited for, a link not followed, and what others may write is not read."""
    (folder / "plain").write_bytes(b"mine")
    with open(open_own(folder / "plain"), "rb") as file:
        assert file.read() == b"mine"
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to("plain")
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()
    (folder / "open").write_bytes(b"theirs")
    (folder / "open").chmod(0o666)
    for name in ("pipe", "link", "loop", "folder", "open", "nothing"):
        with pytest.raises(FileNotFoundError):
            open_own(folder / name)


def test_a_file_of_another_user_is_not_ones_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although nobody else may write to it."""
    (folder / "plain").touch(mode=0o600)
    status = (folder / "plain").stat()
    assert is_own_file(status)
    monkeypatch.setattr(os, "geteuid", lambda: status.st_uid + 1)
    assert not is_own_file(status)


def test_settings_that_nobody_else_may_have_written_are_no_danger(folder: Path) -> None:
    """Nor are they in a sticky folder, or in a group that holds the user alone."""
    file = folder / "turgo.toml"
    file.touch(mode=0o644)
    assert doubt(file) == ""
    folder.chmod(0o1777)
    assert doubt(file) == ""


@pytest.mark.parametrize(
    ("of_file", "of_folder", "said"),
    [
        (0o646, 0o700, "everybody may write to it"),
        (0o644, 0o777, "everybody may write to its folder"),
    ],
)
def test_settings_that_others_may_write_are_doubted(
    folder: Path, of_file: int, of_folder: int, said: str
) -> None:
    """The file itself, or whatever lies in its folder."""
    file = folder / "turgo.toml"
    file.touch()
    file.chmod(of_file)
    folder.chmod(of_folder)
    assert doubt(file) == said


def test_settings_of_another_user_are_doubted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of root are not: whoever is root can do anything."""
    file = folder / "turgo.toml"
    file.touch(mode=0o644)
    owner = file.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert doubt(file) == ("" if owner == 0 else f"it belongs to another user (uid {owner})")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_settings_of_a_stranger_or_a_group_are_doubted(folder: Path) -> None:
    """Whoever else is in that group."""
    file = folder / "turgo.toml"
    file.touch(mode=0o664)
    file.chmod(0o664)
    os.chown(file, 0, 54321)
    assert doubt(file) == "the group 54321 may write to it"
    os.chown(file, 54321, 0)
    assert doubt(file) == "it belongs to another user (uid 54321)"
