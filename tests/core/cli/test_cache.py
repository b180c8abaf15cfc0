"""`turgo cache`: what it holds, and emptying it."""

import json
from pathlib import Path

import click
import pytest

from turgo import flow, task
from turgo.cli import main


@task(cache_key="inputs")
def large(number: int) -> bytes:
    return bytes(20_000)


@pytest.mark.usefixtures("inline_as_local")
def test_the_cache_is_told_of_and_emptied(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is and who says so, how many values and bytes there are; and that they are gone."""
    folder = project / "kept"
    monkeypatch.setenv("TURGO_CACHE__URL", str(folder))
    flow(lambda: large.map([1, 2]))()
    assert main(["cache"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"{folder} (from variable TURGO_CACHE__URL)"
    assert shown[1].startswith("2 values, ") and shown[1].endswith(" KiB of 1.0 GiB")
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"dropped 2 values from {folder}\n"
    assert main(["cache", "info", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = {"where": str(folder), "entries": 0, "bytes": 0, "max_bytes": 1 << 30}
    assert told == {**expected, "origin": "variable TURGO_CACHE__URL"}


def test_a_folder_that_is_not_safe_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error says how to mend it."""
    tmp_path.chmod(0o777)
    monkeypatch.setenv("TURGO_CACHE__URL", str(tmp_path))
    assert main(["cache", "clear"]) == 2
    assert f"chmod go-w {tmp_path}" in click.unstyle(capsys.readouterr().err)
