"""What 'executors show' says: each option, and where its present value comes from."""

import json
import re
from pathlib import Path
from typing import Any, Protocol

import click
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


def record(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    """The JSON that a command prints."""
    assert main([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


CLASS = '''
from turgo.executor import Executor

class Mine(Executor):
    """Mine alone.

    size: how large
    """

    capabilities = frozenset({"parallel"})

    def __init__(self, *, size: int, **more: str):
        self.size = size

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError

class Plain(Mine):
    def __init__(self):
        pass
'''


DECIDING = """
from turgo.executor import Executor

class Deciding(Executor):
    def __init__(self, *, workers: int = 1):
        if workers < 1:
            raise ValueError("too few")
        self.workers = workers

    @property
    def capabilities(self):
        return frozenset({"parallel"} if self.workers > 1 else ())

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError
"""


def test_show_tells_each_option(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Type, default, meaning of every option of the constructor."""
    site.install_plugin("turbine", more="capabilities={'parallel'}")
    assert main(["executors", "show", "turbine"]) == 0
    text = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "turbine: turns"
    assert "class turgo_turbine.executor.TurbineExecutor" in lines
    assert "parallel: runs several calls at once" in lines
    assert "blades int 3 3 the default" in lines
    assert lines[lines.index("blades int 3 3 the default") + 1] == "how many it has, all of one length"
    assert "speed float | None None None the default" in lines


def test_show_tells_where_the_present_value_comes_from(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile is shown as what it stands for, with the values of file and variable in it."""
    site.install_plugin("turbine")
    Path("turgo.toml").write_text('[executors.fast]\nuse = "turbine"\nblades = 5\n')
    monkeypatch.setenv("TURGO_EXECUTORS__FAST__SPEED", "2.5")
    assert main(["executors", "show", "fast"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "blades int 3 5 turgo.toml, line 3, key 'executors.fast.blades'" in lines
    assert "speed float | None None 2.5 variable TURGO_EXECUTORS__FAST__SPEED" in lines
    found = {each["name"]: each for each in record(capsys, "executors", "show", "fast")["options"]}
    assert found["blades"]["value"] == 5 and found["blades"]["default"] == 3
    assert found["blades"]["origin"]["line"] == 3


def test_show_takes_a_class_path(capsys: pytest.CaptureFixture[str]) -> None:
    """A class in a file, with a required option and one that takes any further name."""
    Path("mine.py").write_text(CLASS)
    assert main(["executors", "show", "./mine.py:Mine"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "./mine.py:Mine: Mine alone."
    assert "size int required not set" in lines
    assert "capabilities parallel" in lines
    assert any(line.startswith("**more str - -") for line in lines)
    assert main(["executors", "show", "./mine.py:Plain"]) == 0
    assert "It has no options." in capsys.readouterr().out


@pytest.mark.parametrize(("workers", "capabilities"), [(1, []), (2, ["parallel"]), (0, [])])
def test_show_tells_what_an_executor_can_do_as_it_is_set(
    capsys: pytest.CaptureFixture[str], workers: int, capabilities: list[str]
) -> None:
    """Capabilities that depend on options are those of the profile; options that are refused hide nothing else."""
    Path("deciding.py").write_text(DECIDING)
    Path("turgo.toml").write_text(f'[executors.some]\nuse = "./deciding.py:Deciding"\nworkers = {workers}\n')
    shown = record(capsys, "executors", "show", "some")
    assert shown["capabilities"] == capabilities
    assert shown["options"][0]["value"] == workers


def test_show_of_what_there_is_not_is_2(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that names what was asked, what exists and the nearest."""
    site.install_plugin("turbine")
    assert main(["executors", "show", "tubrine"]) == 2
    shown = capsys.readouterr()
    message = click.unstyle(shown.err)
    assert re.fullmatch(
        r"Error: there is no executor 'tubrine' .*turbine.*did you mean 'turbine'.*\n", message
    )
    assert shown.out == ""


def test_show_with_options_shows_what_they_make_of_it(
    site: Site, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values with `-o` as their place, keys within an option put together, and a wrong one is an error."""
    site.install_plugin("turbine")
    (project / "turgo.toml").write_text("[executors.turbine]\nkwargs = { a = 1 }")
    assert main(["executors", "show", "turbine", "-o", "blades=5", "-o", "kwargs.b=no", "--json"]) == 0
    options = {each["name"]: each for each in json.loads(capsys.readouterr().out)["options"]}
    assert (options["blades"]["value"], options["blades"]["origin"]["where"]) == (5, "-o blades")
    assert options["kwargs"]["value"] == {"a": 1, "b": False}
    assert main(["executors", "show", "turbine", "-o", "bladse=5"]) == 2
    assert "did you mean 'blades'" in capsys.readouterr().err
