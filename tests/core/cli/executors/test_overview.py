"""What 'executors list' says: plugins, profiles, absent ones and the default."""

import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from turgo.cli import main


class Site(Protocol):
    """The fixture `site`."""

    folder: Path

    def install(self, distribution: str, modules: dict[str, str], executors: dict[str, str]) -> None:
        """Lay out a distribution."""

    def install_plugin(self, name: str, *, distribution: str = ..., more: str = ...) -> None:
        """Lay out a complete plugin."""


@pytest.fixture(autouse=True)
def _in_an_empty_project(project: Path) -> None:
    """No configuration but what a test writes."""


def listed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines of `turgo executors list`, blanks made single."""
    assert main(["executors", "list"]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def record(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    """The JSON that a command prints."""
    assert main([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_broken_plugin_is_listed_as_broken(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """With its distribution and the reason; the others are listed as ever, and the exit code is 0."""
    site.install_plugin("turbine")
    modules = {"turgo_cracked/__init__.py": "", "turgo_cracked/plugin.py": "import not_there\n"}
    site.install("turgo-cracked", modules, {"cracked": "turgo_cracked.plugin"})
    lines = listed(capsys)
    reason = "ModuleNotFoundError: No module named 'not_there'"
    assert f"cracked turgo-cracked 1.0 BROKEN: {reason}" in lines
    assert "turbine turgo-turbine 1.0 turns" in lines
    found = {each["name"]: each for each in record(capsys, "executors", "list")["executors"]}
    assert found["cracked"]["broken"] == reason and found["turbine"]["broken"] is None


def test_a_doubled_name_is_listed_by_distribution(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the name that picks it."""
    site.install_plugin("turbine")
    site.install_plugin("turbine", distribution="other-turbine")
    lines = "\n".join(listed(capsys))
    assert "turgo-turbine/turbine turgo-turbine 1.0 turns (several distributions" in lines
    assert "other-turbine/turbine other-turbine 1.0 turns (several distributions" in lines


def test_the_default_is_marked_and_explained(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A star, and below why: nothing says otherwise, a file, a variable."""
    site.install_plugin("turbine")
    assert "nothing says otherwise" in listed(capsys)[-1]
    Path("turgo.toml").write_text('executor = "Turbine"\n')
    lines = listed(capsys)
    assert "* turbine turgo-turbine 1.0 turns" in lines
    assert lines[-1] == "* the default is Turbine: so says turgo.toml, line 1, key 'executor'"
    monkeypatch.setenv("TURGO_EXECUTOR", "tubrine")
    assert listed(capsys)[-1].startswith(
        "* the default is tubrine, which is not here: so says variable TURGO_EXECUTOR"
    )


def test_profiles_are_listed_with_their_options(capsys: pytest.CaptureFixture[str]) -> None:
    """What each stands for, what it sets, and where it is written."""
    Path("turgo.toml").write_text('[executors.hpc]\nuse = "dask"\naddress = "tcp://a:1"\n')
    line = next(line for line in listed(capsys) if line.startswith("hpc "))
    assert line == "hpc dask address='tcp://a:1' turgo.toml, line 2, key 'executors.hpc.use'"
    (profile,) = record(capsys, "executors", "list")["profiles"]
    assert profile["use"] == "dask" and profile["options"]["address"]["value"] == "tcp://a:1"


def test_known_and_not_installed_is_listed_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    """Each known executor is either installed or listed with the line that installs it."""
    found = record(capsys, "executors", "list")
    installed = {each["name"] for each in found["executors"]}
    absent = {each["name"]: each["install"] for each in found["not_installed"]}
    assert {"local", "local_dask", "dask"} <= installed | absent.keys()
    assert not installed & absent.keys()
    lines = listed(capsys)
    for name, install in absent.items():
        assert install.endswith(f" -m pip install turgo-{name.replace('_', '-')}")
        assert any(line.startswith(f"{name} {install}") for line in lines)
