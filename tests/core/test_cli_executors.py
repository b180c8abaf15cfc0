"""`penstock executors`: installed, broken, doubled, absent ones and profiles; and the options of one."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import click
import pytest

from penstock.cli import main


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
    """The lines of `penstock executors list`, blanks made single."""
    assert main(["executors", "list"]) == 0
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def record(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    """The JSON that a command prints."""
    assert main([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_installed_executor_is_listed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """By name, with distribution and version, what it is and what it can do; its class is not imported."""
    site.install_plugin("turbine", more="capabilities={'parallel', 'cancels_running'}")
    lines = listed(capsys)
    at = lines.index("turbine penstock-turbine 1.0 turns")
    assert lines[at + 1] == "can: cancels_running, parallel"
    assert "penstock_turbine.plugin" in sys.modules
    assert "penstock_turbine.executor" not in sys.modules


def test_list_is_what_executors_does_alone(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """`penstock executors` lists."""
    site.install_plugin("turbine")
    assert main(["executors"]) == 0
    assert "penstock-turbine 1.0" in capsys.readouterr().out


def test_a_broken_plugin_is_listed_as_broken(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """With its distribution and the reason; the others are listed as ever, and the exit code is 0."""
    site.install_plugin("turbine")
    modules = {"penstock_cracked/__init__.py": "", "penstock_cracked/plugin.py": "import not_there\n"}
    site.install("penstock-cracked", modules, {"cracked": "penstock_cracked.plugin"})
    lines = listed(capsys)
    reason = "ModuleNotFoundError: No module named 'not_there'"
    assert f"cracked penstock-cracked 1.0 BROKEN: {reason}" in lines
    assert "turbine penstock-turbine 1.0 turns" in lines
    found = {each["name"]: each for each in record(capsys, "executors", "list")["executors"]}
    assert found["cracked"]["broken"] == reason and found["turbine"]["broken"] is None


def test_a_doubled_name_is_listed_by_distribution(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the name that picks it."""
    site.install_plugin("turbine")
    site.install_plugin("turbine", distribution="other-turbine")
    lines = "\n".join(listed(capsys))
    assert "penstock-turbine/turbine penstock-turbine 1.0 turns (several distributions" in lines
    assert "other-turbine/turbine other-turbine 1.0 turns (several distributions" in lines


def test_the_default_is_marked_and_explained(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A star, and below why: nothing says otherwise, a file, a variable."""
    site.install_plugin("turbine")
    assert "nothing says otherwise" in listed(capsys)[-1]
    Path("penstock.toml").write_text('executor = "Turbine"\n')
    lines = listed(capsys)
    assert "* turbine penstock-turbine 1.0 turns" in lines
    assert lines[-1] == "* the default is Turbine: so says penstock.toml, line 1, key 'executor'"
    monkeypatch.setenv("PENSTOCK_EXECUTOR", "tubrine")
    assert listed(capsys)[-1].startswith(
        "* the default is tubrine, which is not here: so says variable PENST"
    )


def test_profiles_are_listed_with_their_options(capsys: pytest.CaptureFixture[str]) -> None:
    """What each stands for, what it sets, and where it is written."""
    Path("penstock.toml").write_text('[executors.hpc]\nuse = "dask"\naddress = "tcp://a:1"\n')
    line = next(line for line in listed(capsys) if line.startswith("hpc "))
    assert line == "hpc dask address='tcp://a:1' penstock.toml, line 2, key 'executors.hpc.use'"
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
        assert install == f"pip install penstock-{name.replace('_', '-')}"
        assert any(line.startswith(f"{name} {install}") for line in lines)


def test_show_tells_each_option(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Type, default, meaning of every option of the constructor."""
    site.install_plugin("turbine", more="capabilities={'parallel'}")
    assert main(["executors", "show", "turbine"]) == 0
    text = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "turbine: turns"
    assert "class penstock_turbine.executor.TurbineExecutor" in lines
    assert "parallel: runs several calls at once" in lines
    assert "blades int 3 3 the default" in lines
    assert lines[lines.index("blades int 3 3 the default") + 1] == "how many it has, all of one length"
    assert "speed float | None None None the default" in lines


def test_show_tells_where_the_present_value_comes_from(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile is shown as what it stands for, with the values of file and variable in it."""
    site.install_plugin("turbine")
    Path("penstock.toml").write_text('[executors.fast]\nuse = "turbine"\nblades = 5\n')
    monkeypatch.setenv("PENSTOCK_EXECUTORS__FAST__SPEED", "2.5")
    assert main(["executors", "show", "fast"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "blades int 3 5 penstock.toml, line 3, key 'executors.fast.blades'" in lines
    assert "speed float | None None 2.5 variable PENSTOCK_EXECUTORS__FAST__SPEED" in lines
    found = {each["name"]: each for each in record(capsys, "executors", "show", "fast")["options"]}
    assert found["blades"]["value"] == 5 and found["blades"]["default"] == 3
    assert found["blades"]["origin"]["line"] == 3


CLASS = '''
from penstock.executor import Executor

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


DECIDING = """
from penstock.executor import Executor

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


@pytest.mark.parametrize(("workers", "capabilities"), [(1, []), (2, ["parallel"]), (0, [])])
def test_show_tells_what_an_executor_can_do_as_it_is_set(
    capsys: pytest.CaptureFixture[str], workers: int, capabilities: list[str]
) -> None:
    """Capabilities that depend on options are those of the profile; options that are refused hide nothing else."""
    Path("deciding.py").write_text(DECIDING)
    Path("penstock.toml").write_text(
        f'[executors.some]\nuse = "./deciding.py:Deciding"\nworkers = {workers}\n'
    )
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


def in_a_terminal(width: int, *args: str) -> str:
    """What a command shows in a terminal of that width."""
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "penstock", *args]
    shown = b""
    with subprocess.Popen(line, stdout=theirs, env={**os.environ, "COLUMNS": str(width)}) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # how Linux says that nobody holds the other side any more
            while part := os.read(ours, 65536):
                shown += part
        os.close(ours)
        assert process.wait(timeout=60) == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("args", [("executors", "list"), ("executors", "show", "mine"), ("config",)])
def test_lines_are_as_long_as_the_terminal_is_wide_and_a_pipe_gets_them_whole(args: tuple[str, ...]) -> None:
    """At 40, 80 and 200 columns not a word is lost, and each line fits, but for a path that is longer than one."""
    Path("mine.py").write_text(NARROW_MINDED)
    Path("penstock.toml").write_text(
        '[executors.mine]\nuse = "./mine.py:Mine"\nlabel = "a text of some length"\n'
    )
    line = [sys.executable, "-m", "penstock", *args]
    pipe = {**os.environ, "COLUMNS": "40"}
    whole = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True, env=pipe).stdout
    assert max(map(len, whole.splitlines())) > 80
    for width in (40, 80, 200):
        shown = in_a_terminal(width, *args)
        assert all(len(text) <= width or len(text.split()[-1]) > width - 20 for text in shown.splitlines())
        assert {word.strip(":") for word in whole.split()} <= {word.strip(":") for word in shown.split()}
    assert in_a_terminal(200, *args) == whole


NARROW_MINDED = '''
from penstock.executor import Executor

class Mine(Executor):
    """Turns on this machine alone, which is told here at such a length that it is more than a line of a terminal.

    label: what it is called, which is of no use to anybody, but is told at length here as well, as it has to be.
    """

    def __init__(self, *, label: str | None = None):
        self.label = label

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError
'''
