"""`turgo run --resume`, `--dry-run` and `--no-journal`."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from turgo.cli.resume import say_how_to_go_on

pytestmark = pytest.mark.usefixtures("inline_as_local")

WORK = """
from pathlib import Path
from turgo import flow, task
from rules import kept

@task
def numbers(n):
    return list(range(n))

@task
def score(number):
    with open("calls", "a") as file:
        file.write(f"{number}\\n")
    if number == 7 and Path("trouble").exists():
        raise ValueError("seven")
    return 10 * number

@task
def total(scores):
    return sum(each for each in scores if kept(each))

@flow
def work(n: int = 10):
    return total(score.map(numbers(n)))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A flow whose seventh element fails as long as there is a file `trouble`."""
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "rules.py").write_text("def kept(score):\n    return score > 20\n")
    (tmp_path / "trouble").touch()
    return tmp_path


def turgo(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; it is to end with this code."""
    command = [sys.executable, "-m", "turgo", *arguments]
    done = subprocess.run(command, cwd=folder, env=os.environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done


def calls(folder: Path) -> list[str]:
    """Which elements were scored since the last look."""
    file = folder / "calls"
    lines = file.read_text().split() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def test_the_same_command_finishes_the_rest(folder: Path) -> None:
    """What failed says how; then only that and what depends on it runs, and only with the same parameters."""
    said = turgo(folder, "run", "work.py", code=1).stderr
    line = next(
        line
        for line in said.splitlines()
        if "To go on with the rest: turgo run work.py --resume=work-" in line
    )
    assert len(calls(folder)) == 10
    plan = turgo(folder, "run", "work.py", "--resume", "--dry-run").stdout
    assert "Failed on local: 1 of numbers, 9 of score\nwould run: 1 of score, 1 of total\n" in plan
    assert plan.startswith(
        "work\n  numbers  would be taken over\n    score ×10  9 would be taken over, 1 would run\n"
    )
    (folder / "trouble").unlink()
    assert "no unfinished run" in turgo(folder, "run", "work.py", "-p", "n=3", "--resume", code=2).stderr
    assert calls(folder) == []
    assert turgo(folder, *line.rpartition(": turgo ")[2].split()).stdout == "420\n"
    assert calls(folder) == ["7"]
    run = turgo(folder, "runs", "list").stdout.splitlines()[1].split()[0]
    assert "in the journal that the run goes on with" in turgo(folder, "runs", "show", run, "score[6]").stdout
    assert "score[7] is Success, after " in turgo(folder, "runs", "show", run, "score[7]").stdout


def test_what_changed_is_told_in_words(folder: Path, edit: Callable[[Path, str], None]) -> None:
    """And runs again, with what depends on it."""
    turgo(folder, "run", "work.py", code=1)
    (folder / "trouble").unlink()
    calls(folder)
    assert turgo(folder, "run", "work.py", "-q", "--resume").stdout == "420\n"
    run = turgo(folder, "runs", "list").stdout.splitlines()[1].split()[0]
    edit(folder / "rules.py", "def kept(score):\n    return score > 50\n")
    done = turgo(folder, "run", "work.py", "-q", f"--resume={run}")
    assert done.stderr.startswith("rules.py:kept changed: 1 of total\n") and done.stdout == "300\n"
    assert calls(folder) == ["7"]


def test_without_a_journal_nothing_is_kept(folder: Path) -> None:
    """`--no-journal`, or the configuration; a dry run starts nothing and needs none."""
    tree, _, counts = turgo(folder, "run", "work.py", "--dry-run").stdout.rpartition("would run: ")
    assert counts == "1 of numbers, 1 of score, 1 of total\n"
    shown = turgo(folder, "graph", "work.py").stdout
    assert tree == "".join(
        line if line == "work\n" else f"{line[:-1]}  would run\n" for line in shown.splitlines(keepends=True)
    )
    assert "To go on" not in turgo(folder, "run", "work.py", "--no-journal", code=1).stderr
    (folder / "turgo.toml").write_text("[journal]\nenabled = false\n")
    assert "To go on" not in turgo(folder, "run", "work.py", code=1).stderr
    assert turgo(folder, "runs").stdout == "no run is kept\n"


def test_the_options_stand_in_any_order(folder: Path) -> None:
    """A file that follows a bare `--resume` is the flow, and no run."""
    turgo(folder, "run", "work.py", code=1)
    for line in (["--resume", "work.py"], ["work.py", "--resume"], ["--resume=", "work.py:work"]):
        assert "would run: 1 of score" in turgo(folder, "run", "--dry-run", *line).stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--no-journal", "--resume"], "goes on from its journal"),
        (["--rerun-unsafe"], "--rerun-unsafe says what a run with --resume does"),
        (["--rerun-unsafe", "--resume", "--dry-run"], "--dry-run runs nothing"),
    ],
)
def test_options_that_contradict_each_other_are_refused(folder: Path, options: list[str], said: str) -> None:
    """Before the file is even looked for."""
    assert said in turgo(folder, "run", *options, "nowhere.py", code=2).stderr


INTERRUPTED = """
import os, signal
from turgo import flow, task

@task
def one(number):
    if number == 3 and not os.path.exists("again"):
        os.kill(os.getpid(), signal.SIGINT)
    return number

@flow
def work():
    return one.map(range(5))
"""


def test_ctrl_c_says_how_to_go_on(folder: Path) -> None:
    """What finished before it is kept."""
    (folder / "stopped.py").write_text(INTERRUPTED)
    said = turgo(folder, "run", "stopped.py", code=130).stderr
    (folder / "again").touch()
    line = next(line for line in said.splitlines() if "To go on with the rest: turgo " in line)
    assert turgo(folder, *line.rpartition(": turgo ")[2].split()).stdout == "[0, 1, 2, 3, 4]\n"


def test_the_id_of_the_run_that_went_on_leads_to_its_journal(folder: Path) -> None:
    """Its first line names it, and it is asked for by that."""
    turgo(folder, "run", "work.py", code=1)
    said = turgo(folder, "run", "work.py", "--resume", code=1).stderr.splitlines()[0]
    run = said.rpartition("(run ")[2].rstrip(")")
    listed = turgo(folder, "runs", "list").stdout
    assert run not in listed
    assert turgo(folder, "runs", "show", run, code=0).stdout.splitlines()[0].startswith("work-")


SECRETIVE = """
from turgo import flow, task

@task
def use(*parts):
    raise ValueError("on purpose")

@flow
def work(token: str, password: str, url: str, count: int):
    return use(count)
"""


def test_the_line_that_goes_on_shows_no_secret(folder: Path) -> None:
    """However it was typed; all else is there."""
    (folder / "secretive.py").write_text(SECRETIVE)
    typed = ("-p", "token=one=1", "-ppassword=two", "-p", "url=https://me:three@host/x", "-p", "count=4")
    said = turgo(folder, "run", "secretive.py", *typed, code=1).stderr
    (line,) = [line for line in said.splitlines() if "To go on with the rest: turgo " in line]
    assert not {"one", "two", "three"} & set(re.split(r"\W", line)), line
    assert "token=***" in line and "password=***" in line and "count=4" in line and "me:***@host" in line


@pytest.mark.parametrize("typed", [["--resume"], ["--resume=work-1"], ["--resume", "work-1"]])
def test_the_line_that_goes_on_names_one_run(
    typed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However the one before was named."""
    monkeypatch.setattr(sys, "argv", ["turgo", "run", "work.py", *typed, "-p", "n=3"])
    say_how_to_go_on("work-7")
    assert capsys.readouterr().err.endswith(": turgo run work.py -p n=3 --resume=work-7\n")
