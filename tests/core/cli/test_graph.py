"""`turgo graph`: what a flow would run, and what became of a run."""

import re
import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from turgo import flow, task
from turgo.cli.root import turgo
from turgo.errors import FlowFileError, JournalError, MissingPackageError, ParameterError

pytestmark = pytest.mark.usefixtures("inline_as_local")

BREWERY = """
from pathlib import Path
from turgo import flow, task

print("a word of the file's own")

@task
def mash(grain):
    Path("ran").touch()
    return grain * 2

@task
def bottle(worts):
    return len(worts)

@flow
def brewery(batches: int = 3):
    if batches < 0:
        raise ValueError("no batch")
    return bottle(mash.map(range(batches)))
"""


@pytest.fixture
def brewery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A flow file in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("brewery.py").write_text(BREWERY)
    return "brewery.py"


def ask(*arguments: str) -> Result:
    """What `turgo graph …` says."""
    # Before click 8.2 the two streams were kept apart only if one asked for it.
    apart: dict[str, Any] = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}
    return CliRunner(**apart).invoke(turgo, ["graph", *arguments])


def test_a_flow_is_shown_and_does_not_run(brewery: str) -> None:
    """With its parameters; what the file prints is no part of it."""
    done = ask(brewery, "-p", "batches=7")
    assert done.stdout == "brewery\n  mash ×7\n    bottle\n"
    assert not Path("ran").exists()


def test_a_module_is_shown(brewery: str) -> None:
    """Named as for `python -m`, in a process of its own as users start it."""
    command = [sys.executable, "-m", "turgo", "graph", "brewery:brewery"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "brewery\n  mash ×3\n    bottle\n"


def test_a_file_says_its_format(brewery: str) -> None:
    """Or the option does, which is stronger; the word that it was written goes to standard error."""
    done = ask(brewery, "--output", "brewery.mmd")
    assert (done.stdout, done.stderr.splitlines()[-1]) == ("", "wrote brewery.mmd")
    assert "flowchart TD" in Path("brewery.mmd").read_text()
    ask(brewery, "--output", "brewery.svg", "--format", "tree")
    assert Path("brewery.svg").read_text() == "brewery\n  mash ×3\n    bottle\n"
    assert "flowchart TD" in ask(brewery, "--format", "mermaid").stdout


def test_svg_is_drawn_or_says_what_it_needs(brewery: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package nothing is written."""
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pygraphviz", None)
        error = ask(brewery, "--output", "brewery.svg").exception
    assert isinstance(error, MissingPackageError) and "turgo[graph]" in str(error)
    assert not Path("brewery.svg").exists()
    pytest.importorskip("pygraphviz")
    assert ask(brewery, "--format", "svg").stdout.startswith("<svg")


def test_a_run_is_shown_with_what_became_of_it(brewery: str) -> None:
    """By the beginning of its id."""

    @task
    def taste(number: int) -> float:
        return 1 / number

    @flow
    def tasting() -> object:
        return taste.map([1, 0])

    run = tasting.run(journal=True)
    done = ask("--run", run.id[:-2])
    assert done.stdout == f"tasting, Failed on local (run {run.id})\n  taste ×2  1 Success, 1 Failed\n"
    assert "1 Success, 1 Failed" in str(run.graph)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nowhere.py"], FlowFileError),
        (["brewery.py", "-p", "batch=1"], ParameterError),
        (["--run", "nothing"], JournalError),
    ],
)
def test_mistakes_are_those_of_a_run(brewery: str, arguments: list[str], error: type) -> None:
    """In the words of `turgo run` and `turgo runs`."""
    assert isinstance(ask(*arguments).exception, error)


def test_contradictions_are_bad_usage(brewery: str) -> None:
    """Both, neither, and parameters of a run that was; a folder that is not there."""
    for arguments in ([], [brewery, "--run", "x"], ["--run", "x", "-p", "batches=1"]):
        assert ask(*arguments).exit_code == 2
    done = ask(brewery, "--output", "nowhere/brewery.mmd")
    assert done.exit_code == 1 and "nowhere/brewery.mmd" in done.stderr


def test_a_flow_that_fails_is_a_failure(brewery: str) -> None:
    """With the traceback of its own code."""
    done = subprocess.run(
        [sys.executable, "-m", "turgo", "graph", brewery, "-p", "batches=-1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1 and "ValueError: no batch" in done.stderr and not done.stdout


def test_help_lists_the_parameters_of_the_flow(brewery: str) -> None:
    """As `turgo run FILE --help` does."""
    assert re.search(r"-p batches=int +\[default: 3\]", ask(brewery, "--help").output)
