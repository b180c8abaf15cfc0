"""The command 'executors new': what it prints and what it refuses."""

import shlex
from pathlib import Path
from typing import Protocol

import click
import pytest

from turgo.cli import main
from turgo.cli.executors.project import NAME_WIDTH
from turgo.registry.catalogue import known_executors


class Site(Protocol):
    """The fixture `site`."""

    folder: Path

    def install(self, distribution: str, modules: dict[str, str], executors: dict[str, str]) -> None:
        """Lay out a distribution."""

    def install_plugin(self, name: str, *, distribution: str = ...) -> None:
        """Lay out a complete plugin."""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(project: Path) -> None:
    """What a test writes, it writes there."""


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """What standard error says of a command that exits with 2 and leaves the folder as it was."""
    before = sorted(Path().rglob("*"))
    assert main(["executors", "new", *args]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sorted(Path().rglob("*")) == before
    return click.unstyle(shown.err)


@pytest.mark.parametrize("folder", ["plugins", "my plugins", "-odd"])
def test_it_prints_the_next_three_commands(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To install, to test and to run; what they name is there, also below a folder with an odd name."""
    Path(folder).mkdir()
    assert main(["executors", "new", "turbine", f"--dir={folder}"]) == 0
    shown = capsys.readouterr().out
    install, test, run = [shlex.split(line) for line in shown.splitlines() if line.startswith("  ")]
    where, extra = install[3][:-9], install[3][-9:]
    assert (install[:3], extra) == (["pip", "install", "-e"], "[testing]")
    assert where.startswith("./")  # without it, pip looks for a package of that name on the index
    assert (Path(where) / "pyproject.toml").is_file()
    assert test == ["pytest", where]
    assert run == ["turgo", "run", "FILE.py", "--executor", "turbine"]
    assert f"{folder}/turgo-turbine/src/turgo_turbine/executor.py" in shown


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "made of a letter"),
        ("7up", "made of a letter"),
        ("my grid", "made of a letter"),
        ("a.b", "made of a letter"),
        ("a/b", "made of a letter"),
        ("../a", "made of a letter"),
        ("a__b", "single - or _"),
        ("a_", "single - or _"),
        ("_a", "made of a letter"),
        ("café", "(a to z)"),
        ("turbine\nx", "made of a letter"),
        ("class", "a keyword of Python"),
        ("Import", "a keyword of Python"),
        ("turgo-turbine", "for 'turbine'; ask for that"),
        ("turgo", "the name of turgo itself"),
        ("a" * (NAME_WIDTH + 1), f"it has {NAME_WIDTH + 1} characters"),
    ],
)
def test_a_bad_name_is_refused(name: str, reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What could be no module or no word of an option is an error that says why, in one line."""
    message = refusal(capsys, name)
    assert message.startswith(f"Error: {name!r} cannot be the name of an executor: ")
    assert reason in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("asked", ["windmill", "Windmill"])
def test_the_name_of_an_installed_executor_is_refused(
    asked: str, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the distribution that has it, whatever that is called."""
    site.install_plugin("windmill", distribution="other-mills")
    message = refusal(capsys, asked)
    assert "the name 'windmill' is taken, by other-mills 1.0, which is installed" in message


def test_the_name_of_an_installed_distribution_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A package that provides no executor of that name may have the distribution's name all the same."""
    site.install("turgo-windmill", {}, {})
    assert "taken, by turgo-windmill 1.0, which is installed" in refusal(capsys, "windmill")


@pytest.mark.parametrize("known", sorted(known_executors()))
def test_the_name_of_a_known_executor_is_refused(known: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Installed or not: what is in the catalogue is somebody's."""
    message = refusal(capsys, known.replace("_", "-"))
    assert "is taken, by " in message
    assert known_executors()[known].package in message
