"""Where the configuration lies, on machines that lack this and that."""

import logging
import os
from pathlib import Path

import pytest

from turgo.config import places
from turgo.config.load import load_config
from turgo.errors import ConfigError


def test_a_current_folder_that_was_removed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration is that of the user and the variables then."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert places.current_folder() is None
    assert (
        load_config(environ={"TURGO_EXECUTOR": "x", "XDG_CONFIG_HOME": str(tmp_path)}).executor.value == "x"
    )


@pytest.mark.parametrize("named", ["~nosuchuser/turgo.toml", "", "gone.toml", "a\0b", "."])
def test_a_variable_that_names_no_file_is_an_error(project: Path, named: str) -> None:
    """Whoever names a file wants that one, so nothing else is read in its place."""
    with pytest.raises(ConfigError, match="variable TURGO_CONFIG: names no file"):
        load_config(project, {"TURGO_CONFIG": named})


def test_a_path_that_cannot_be_looked_at_is_passed_over_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a link that leads in a circle, or a name that is too long for the file system."""
    loop = tmp_path / "turgo"
    loop.symlink_to(loop)
    with caplog.at_level(logging.WARNING, "turgo"):
        for _ in range(2):
            assert places.user_file({"XDG_CONFIG_HOME": str(tmp_path)}) is None
    (line,) = [record.getMessage() for record in caplog.records]
    assert str(loop) in line
    assert "passed over" in line


def test_without_any_home_the_cache_is_below_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older platformdirs give a path that begins with `~`, a folder of that name; newer ones raise a RuntimeError."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user without an entry in passwd
    places._platform_folder.cache_clear()
    try:
        assert places.user_file({}) is None
        assert places.cache_folder({}).is_absolute()
    finally:
        places._platform_folder.cache_clear()


def test_a_byte_order_mark_is_read_over(project: Path) -> None:
    """Some editors write one."""
    (project / "turgo.toml").write_bytes(b"\xef\xbb\xbfexecutor = 'x'\n")
    config = load_config(project, {"XDG_CONFIG_HOME": str(project)})
    assert (config.executor.value, config.executor.origin.line) == ("x", 1)


def test_another_encoding_is_named(project: Path) -> None:
    """It is no UTF-8, and no table is guessed from it."""
    (project / "turgo.toml").write_bytes("executor = 'x'".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"turgo\.toml: cannot be read: .*utf-8"):
        load_config(project, {"XDG_CONFIG_HOME": str(project)})


def test_a_file_in_a_folder_that_everybody_may_write_to_does_not_hold_below_it(
    project: Path, tmp_path: Path
) -> None:
    """As one that somebody puts into /tmp; it does for whoever works in that very folder."""
    shared, own = tmp_path / "shared", tmp_path / "shared" / "own" / "flows"
    own.mkdir(parents=True)
    (shared / "turgo.toml").write_text('executor = "elsewhere"\n')
    (tmp_path / "turgo.toml").write_text('executor = "further up"\n')
    variables: dict[str, str] = {}
    assert places.project_file(own, variables) == shared / "turgo.toml"
    for mode in (0o777, 0o1777):
        shared.chmod(mode)
        assert places.project_file(own, variables) is None
        assert places.project_file(shared, variables) == shared / "turgo.toml"


def test_a_table_that_is_written_into_a_pyproject_of_the_same_size_is_seen(project: Path) -> None:
    """What is known of the file is known of what it says."""
    file = project / "pyproject.toml"
    for table, executor in [("tool.other", "local"), ("tool.turgo", "hpcxx"), ("tool.other", "local")]:
        file.write_text(f'# turgo\n[{table}]\nexecutor = "hpcxx"\n')
        assert load_config(project, {}).executor.value == executor
