"""`turgo run FILE --help` tells of the flow, too."""

import subprocess
import sys
from pathlib import Path

import pytest

FLOWS = '''
from pathlib import Path
from typing import Literal
from turgo import flow, task

print("loaded")

@task
def one(x): return x

@flow
def census(root: Path, limit: int | None = None, kind: Literal["quick", "whole"] = "quick", *, deep=False):
    """Count the lines of files.

    root: the folder that is looked through,
        with all below it.
    limit (int): how many files at most

    Nothing else is said here.
    """
    return one(root)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file with one flow, and one that fails on import."""
    (tmp_path / "census.py").write_text(FLOWS)
    (tmp_path / "bare.py").write_text("from turgo import flow\n@flow\ndef bare(): return 1\n")
    (tmp_path / "bad.py").write_text("import no_such_module\n")
    return tmp_path


def help_of(folder: Path, *arguments: str) -> str:
    """What the help says, which is all that goes to standard output."""
    command = [sys.executable, "-m", "turgo", "run", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: turgo run")
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "line",
    [["census.py", "--help"], ["-h", "census.py:census"], ["-e", "dask", "-p", "x=1", "census", "--help"]],
)
def test_each_parameter_is_told_with_type_default_and_meaning(folder: Path, line: list[str]) -> None:
    """Wherever the file stands in the line; what it prints on import is no help."""
    text = help_of(folder, *line)
    assert "The flow census: Count the lines of files. -p root=" in text
    assert "the folder that is looked through, with all below it. [required]" in text
    assert "-p limit=int | None how many files at most [default: None]" in text
    assert "-p kind=" in text and "[default: 'quick']" in text
    assert "-p deep=" in text and "[default: False]" in text
    assert "Nothing else" not in text and "loaded" not in text


def test_a_flow_without_parameters_says_so(folder: Path) -> None:
    """As there is nothing to give it."""
    assert "The flow bare: It has no parameters." in help_of(folder, "bare.py", "--help")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("bad.py", "No module named 'no_such_module'"),
        ("nowhere.py", "there is no file nowhere.py"),
        ("bare.py:other", "has no flow 'other'"),
    ],
)
def test_what_cannot_be_told_of_is_said(folder: Path, target: str, said: str) -> None:
    """The options are listed all the same."""
    text = help_of(folder, target, "--help")
    assert said in text and "--executor" in text


def test_without_a_file_there_is_the_help_of_the_command(folder: Path) -> None:
    """Nothing is loaded."""
    assert "The flow" not in help_of(folder, "--help")
