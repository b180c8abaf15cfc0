"""Whose settings hold for a flow that lies elsewhere, and that this is said."""

from collections.abc import Callable
from pathlib import Path

import pytest

from turgo.cli import main

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


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The exit code of a command, and what it has said on standard error."""

    def saying(*args: str) -> tuple[int, str]:
        capfd.readouterr()
        return main(args), capfd.readouterr().err

    return saying


@pytest.mark.parametrize("name", ["", ":tea"])
@pytest.mark.parametrize("command", ["run", "graph"])
def test_settings_with_the_flow_that_do_not_hold_are_told_of(
    elsewhere: Path, project: Path, said: Callable[..., tuple[int, str]], command: str, name: str
) -> None:
    """With the file that does, and the line that takes the other."""
    code, told = said(command, f"{elsewhere}{name}")
    own = elsewhere.parent.parent / "turgo.toml"
    assert code == 0 and "current folder (no project's file)" in told, told
    assert f"{own}, which lies with the flow, is not read: TURGO_CONFIG={own} takes it" in told
    (project / "turgo.toml").touch()
    assert "current folder (turgo.toml)" in said(command, str(elsewhere))[1]


def test_nothing_is_said_where_there_is_no_question(
    elsewhere: Path,
    project: Path,
    said: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file is named, or the flow lies below the settings that hold, or has none, or is a module."""
    own = elsewhere.parent.parent / "turgo.toml"
    with monkeypatch.context() as named:
        named.setenv("TURGO_CONFIG", str(own))
        told = said("run", str(elsewhere))[1]
        assert "'nowhere'" in told and "lies with" not in told
    with monkeypatch.context() as within:
        within.chdir(elsewhere.parent)
        told = said("run", "tea.py")[1]
        assert "'nowhere'" in told and "lies with" not in told
    (elsewhere.parent / "pyproject.toml").write_text("turgo = [")
    assert "lies with" not in said("run", str(elsewhere))[1]
    (elsewhere.parent / "pyproject.toml").unlink()
    own.unlink()
    for target in (str(elsewhere), "no_such_module", "a\0b", ""):
        assert "lies with" not in said("run", target)[1]
