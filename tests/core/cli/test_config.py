"""`turgo config`: what is in force, and where it comes from."""

import json
import textwrap
from pathlib import Path

import click
import pytest

from turgo.cli import main

FILE = """
executor = "hpc"

[executors.hpc]
use = "dask"
cluster_kwargs = { cores = 8 }
"""


def test_without_files_there_are_the_defaults(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each value is shown with the default as its origin."""
    assert main(["config"]) == 0
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert "executor 'local' the default" in rows
    assert "max_map_width 10000000 the default" in rows
    assert "cache.max_bytes 1073741824 the default" in rows
    assert "none" in rows


def test_each_value_has_its_origin(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, line and key of what a file says; the variable's name of what a variable says."""
    (project / "turgo.toml").write_text(FILE)
    monkeypatch.setenv("TURGO_EXECUTORS__HPC__CLUSTER_KWARGS__cores", "16")
    assert main(["config"]) == 0
    rows = [" ".join(row.split()) for row in capsys.readouterr().out.splitlines()]
    assert "executor 'hpc' turgo.toml, line 2, key 'executor'" in rows
    cores = "variable TURGO_EXECUTORS__HPC__CLUSTER_KWARGS__cores"
    assert f"executors.hpc.cluster_kwargs.cores 16 {cores}" in rows
    assert str(project / "turgo.toml") in rows


def test_json_is_for_machines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` holds the same, dates and paths as text."""
    (project / "turgo.toml").write_text(f"{FILE}since = 2024-05-01\n")
    assert main(["config", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    settings = {each["key"]: each for each in shown["settings"]}
    origin = {"kind": "project file", "where": "turgo.toml", "key": "executor", "line": 2}
    assert settings["executor"] == {"key": "executor", "value": "hpc", "origin": origin}
    assert settings["executors.hpc.since"]["value"] == "2024-05-01"
    assert shown["files"] == [str(project / "turgo.toml")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("executor = \n", "turgo.toml, line 1"),
        ("executer = 'local'\n", "did you mean 'executor'"),
        ("[executors]\nhpc = 3\n", "turgo.toml, line 2, key 'executors.hpc'"),
    ],
)
def test_a_malformed_file_is_2(
    text: str, words: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with file, line and key, for this and for every other command."""
    (project / "turgo.toml").write_text(textwrap.dedent(text))
    for args in (["config"], ["executors", "list"], ["run", "flow.py"]):
        assert main(args) == 2
        shown = click.unstyle(capsys.readouterr().err)
        assert shown.startswith("Error: ") and words in shown
