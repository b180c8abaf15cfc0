"""The command line as a whole: help, exit codes, pipes, and what a start of it loads."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from turgo._version import __version__
from turgo.cli import main
from turgo.cli.root import COMMANDS
from turgo.errors import ExecutorStartError, TurgoError, UsageError


def command(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with both of its outputs as text."""
    line = [sys.executable, "-m", "turgo", *args]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, **options)


def test_version_is_one_line() -> None:
    """`--version` prints the version of the distribution, and exits with 0."""
    done = command("--version")
    assert done.stdout == f"turgo {__version__}\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_while_modules_are_imported(tmp_path: Path) -> None:
    """It is one word, as later; it was a traceback through our modules and those that they import."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    done = command("run", "flow.py", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_ctrl_c_while_the_command_itself_is_imported(tmp_path: Path) -> None:
    """The same for the first module of ours that `python -m turgo` imports."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n\n\nclass Interrupts:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'turgo.cli':\n            raise KeyboardInterrupt\n\n\n"
        "sys.meta_path.insert(0, Interrupts())\n"
    )
    done = command("run", "flow.py", env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("name", ["", *COMMANDS, "executors list", "executors show", "executors new"])
def test_help_teaches_by_example(name: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has help, and each that takes something shows how to write it."""
    assert main([*name.split(), option]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: turgo {name}".strip())
    if name != "executors list":
        assert re.search(r"^ +(turgo \w|executor =)", shown, re.MULTILINE)


def test_help_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """No line of help is longer than 100 characters."""
    for name in ("", *COMMANDS, "executors list", "executors show", "executors new"):
        main([*name.split(), "-h"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["rnu"], "did you mean 'run'"),
        (["run"], "FILE[:FLOW]"),
        (["run", "x.py", "--exekutor", "local"], "--exekutor"),
        (["run", "x.py", "-p", "limit"], "expected key=value, got 'limit'"),
        (["run", "x.py", "-o", "=3"], "expected key=value, got '=3'"),
        (["run", "x.py", "-p", "a=1", "-p", "a=2"], "'a' is given twice, as '1' and as '2'"),
        (["executors", "shwo"], "shwo"),
        (["executors", "show"], "NAME"),
        (["executors", "new"], "NAME"),
        (["config", "surplus"], "surplus"),
    ],
)
def test_bad_usage_is_2(args: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be read as a command exits with 2, and standard error says which part of it."""
    assert main(args) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("not so"), 2, "Error: not so"),
        (ExecutorStartError("nobody listens"), 2, "Error: nobody listens"),
        (TurgoError("gone"), 1, "Error: gone"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_each_kind_of_error_has_its_code(
    error: BaseException,
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Mistakes are 2, failures 1, interruptions 130; each is a line on standard error, none a traceback."""

    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setitem(COMMANDS, "broken", f"{__name__}_commands:broken")
    commands = type(sys)(f"{__name__}_commands")
    monkeypatch.setattr(commands, "broken", broken, raising=False)
    monkeypatch.setitem(sys.modules, commands.__name__, commands)
    assert main(["broken"]) == code
    shown = click.unstyle(capsys.readouterr().err)
    assert words in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("args", [["--version"], ["executors", "list"], ["config"]])
def test_a_start_loads_what_it_needs(args: list[str]) -> None:
    """Short commands load neither dask nor rich nor the engine."""
    code = (
        "import sys; from turgo.cli import main; code = main(sys.argv[1:]); "
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    line = [sys.executable, "-c", code, *args]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {
        "dask",
        "distributed",
        "rich",
        "typeguard",
        "cloudpickle.nothing",
        "turgo.engine.run",
    }


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full, the disk that is full"
)
@pytest.mark.parametrize("args", [["config"], ["--help"], ["run", "--help"], ["--version"]])
def test_a_full_disk_is_no_broken_pipe(args: list[str]) -> None:
    """An output that cannot be written is an error, not silence; that of a command and that of click."""
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "turgo", *args]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"Error: cannot write to standard output: .*No space left.*\n", done.stderr)


@pytest.mark.parametrize("args", [["executors", "list"], ["config"], ["run", "--help"]])
def test_a_reader_that_stops_reading_is_no_error(args: list[str]) -> None:
    """`turgo … | head` says nothing about the pipe that was closed."""
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "turgo", *args]
    try:
        done = subprocess.run(
            line, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    finally:
        os.close(writing)
    assert done.stderr == ""
