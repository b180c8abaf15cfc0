"""Whose settings hold for a flow that lies elsewhere, and that this is said."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from turgo.cli.root import turgo

FLOW = """
from turgo import flow, task

@task
def brew(cups):
    return 2 * cups

@flow
def tea(cups: int = 1):
    return brew(cups)
"""

pytestmark = pytest.mark.usefixtures("inline_as_local")


@pytest.fixture
def elsewhere(tmp_path: Path, project: Path) -> Path:
    """A flow in a folder of its own with settings, which is not the current one."""
    folder = tmp_path / "elsewhere" / "flows"
    folder.mkdir(parents=True)
    (folder / "tea.py").write_text(FLOW, encoding="utf-8")
    (folder.parent / "turgo.toml").write_text('executor = "nowhere"\n', encoding="utf-8")
    return folder / "tea.py"


@pytest.mark.parametrize("name", ["", ":tea"])
@pytest.mark.parametrize("command", ["run", "graph"])
def test_settings_with_the_flow_that_do_not_hold_are_told_of(
    elsewhere: Path, project: Path, command: str, name: str
) -> None:
    """With the file that does, and the line that takes the other."""
    result = CliRunner().invoke(turgo, [command, f"{elsewhere}{name}"])
    own = elsewhere.parent.parent / "turgo.toml"
    assert result.exit_code == 0, result.output
    assert "current folder (no project's file)" in result.stderr
    assert f"{own}, which lies with the flow, is not read: TURGO_CONFIG={own} takes it" in result.stderr
    (project / "turgo.toml").touch()
    assert "current folder (turgo.toml)" in CliRunner().invoke(turgo, [command, str(elsewhere)]).stderr


def test_nothing_is_said_where_there_is_no_question(
    elsewhere: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named, or the flow lies below the settings that hold, or has none, or is a module."""
    own = elsewhere.parent.parent / "turgo.toml"
    with monkeypatch.context() as named:
        named.setenv("TURGO_CONFIG", str(own))
        result = CliRunner().invoke(turgo, ["run", str(elsewhere)])
        assert "'nowhere'" in str(result.exception) and "lies with" not in result.stderr
    with monkeypatch.context() as within:
        within.chdir(elsewhere.parent)
        result = CliRunner().invoke(turgo, ["run", "tea.py"])
        assert "'nowhere'" in str(result.exception) and "lies with" not in result.stderr
    (elsewhere.parent / "pyproject.toml").write_text("turgo = [")
    assert "lies with" not in CliRunner().invoke(turgo, ["run", str(elsewhere)]).stderr
    (elsewhere.parent / "pyproject.toml").unlink()
    own.unlink()
    for target in (str(elsewhere), "no_such_module", "a\0b", ""):
        assert "lies with" not in CliRunner().invoke(turgo, ["run", target]).stderr
