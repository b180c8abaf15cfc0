"""`turgo executors`: installed, broken, doubled, absent ones and profiles; and the options of one."""

import contextlib
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Protocol

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


def test_an_installed_executor_is_listed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """By name, with distribution and version, what it is and what it can do; its class is not imported."""
    site.install_plugin("turbine", more="capabilities={'parallel', 'cancels_running'}")
    lines = listed(capsys)
    at = lines.index("turbine turgo-turbine 1.0 turns")
    assert lines[at + 1] == "can: cancels_running, parallel"
    assert "turgo_turbine.plugin" in sys.modules
    assert "turgo_turbine.executor" not in sys.modules


def test_list_is_what_executors_does_alone(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """`turgo executors` lists."""
    site.install_plugin("turbine")
    assert main(["executors"]) == 0
    assert "turgo-turbine 1.0" in capsys.readouterr().out


def in_a_terminal(width: int, *args: str) -> str:
    """What a command shows in a terminal of that width."""
    ours, theirs = pty.openpty()
    line = [sys.executable, "-m", "turgo", *args]
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
    Path("turgo.toml").write_text(
        '[executors.mine]\nuse = "./mine.py:Mine"\nlabel = "a text of some length"\n'
    )
    line = [sys.executable, "-m", "turgo", *args]
    pipe = {**os.environ, "COLUMNS": "40"}
    whole = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True, env=pipe).stdout
    assert max(map(len, whole.splitlines())) > 80
    for width in (40, 80, 200):
        shown = in_a_terminal(width, *args)
        assert all(len(text) <= width or len(text.split()[-1]) > width - 20 for text in shown.splitlines())
        assert {word.strip(":") for word in whole.split()} <= {word.strip(":") for word in shown.split()}
    assert in_a_terminal(200, *args) == whole


NARROW_MINDED = '''
from turgo.executor import Executor

class Mine(Executor):
    """Turns on this machine alone, which is told here at such a length that it is more than a line of a terminal.

    label: what it is called, which is of no use to anybody, but is told at length here as well, as it has to be.
    """

    def __init__(self, *, label: str | None = None):
        self.label = label

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError
'''
