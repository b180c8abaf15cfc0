"""What the doctor says of files and variables."""

from collections.abc import Callable
from pathlib import Path

import pytest

from turgo.cli.doctor.findings import NOTE, OK
from turgo.cli.doctor.settings import settings
from turgo.config.load import Config, load_config


def test_a_file_of_one_s_own_has_an_owner(configure: Callable[..., Config], project: Path) -> None:
    """Its path, and who owns it."""
    (finding,) = settings(configure("debug = true"))
    assert finding.mark == OK
    assert finding.text == f"{project / 'turgo.toml'}, of {(project / 'turgo.toml').owner()}"


def test_a_file_that_anybody_may_write_to_is_doubted(configure: Callable[..., Config], project: Path) -> None:
    """It says why, and what mends it."""
    configure("debug = true")
    (project / "turgo.toml").chmod(0o666)
    (finding,) = settings(load_config(project))
    assert finding.mark == NOTE
    assert "everybody may write to it" in finding.text
    assert "chmod go-w" in finding.mend


def test_without_files_the_variables_are_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their values may be secret, so they are not shown."""
    monkeypatch.setenv("TURGO_EXECUTOR", "hpc-of-mine")
    texts = [each.text for each in settings(load_config(project))]
    assert texts[-1] == "variables: TURGO_EXECUTOR"
    assert "hpc-of-mine" not in "".join(texts)
