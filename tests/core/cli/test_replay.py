"""`turgo replay`: a call that failed is made again, here."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("inline_as_local")

WORK = """
import logging
from turgo import flow, task

@task
def numbers():
    return [{"number": each} for each in (1, 0, 2)]

@task
def invert(row, by):
    logging.getLogger(__name__).warning("inverting %s", row)
    return by / row["number"]

@flow
def work():
    return invert.map(numbers(), by=[6, 6, 6])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run has failed there."""
    (tmp_path / "work.py").write_text(WORK)
    turgo(tmp_path, "run", "-q", "work.py", code=1)
    return tmp_path


def turgo(folder: Path, *arguments: str, code: int, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; it is to end with this code."""
    return_of = subprocess.run(
        [sys.executable, "-m", "turgo", *arguments],
        cwd=folder,
        env=os.environ,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert return_of.returncode == code, return_of.stderr
    return return_of


def test_a_failed_call_fails_here_as_it_did_there(folder: Path) -> None:
    """With its arguments; the log of then beside the log of now, and a debugger where it fails."""
    said = turgo(folder, "replay", "work", "invert[1]", "--pdb", code=1, typed="p by * 7\nq\n")
    assert "then: ZeroDivisionError: division by zero; its log:\n  inverting {'number': 0}" in said.stderr
    assert "now: ZeroDivisionError: division by zero; its log:\n  inverting {'number': 0}" in said.stderr
    assert 'return by / row["number"]' in said.stderr and "42" in said.stdout


def test_it_knows_what_call_it_is(folder: Path) -> None:
    """As it did in the run: its index, its logger, the seed of its random numbers."""
    told = "    print(current().index, current().seed, current().task)\n    logging"
    source = WORK.replace("from turgo import", "from turgo import current,").replace("    logging", told)
    (folder / "work.py").write_text(source)
    then = turgo(folder, "run", "work.py", code=1).stderr
    run = then.partition("(run ")[2].partition(")")[0]
    now = turgo(folder, "replay", run, "invert[1]", code=1).stderr
    (said,) = [line for line in now.splitlines() if line.startswith("1 ") and line.endswith(" invert")]
    assert said in then.splitlines()


def test_the_summary_of_the_run_says_what_to_type(folder: Path) -> None:
    """Word for word; without a journal there is nothing to replay, and nothing is said of it."""
    said = turgo(folder, "run", "-q", "work.py", code=1).stderr
    (line,) = [each for each in said.splitlines() if "turgo replay" in each]
    words = shlex.split(line.partition(": ")[2])
    assert (words[:2], words[3]) == (["turgo", "replay"], "invert[1]")
    assert "now: ZeroDivisionError" in turgo(folder, *words[1:], code=1).stderr
    assert "turgo " not in turgo(folder, "run", "-q", "--no-journal", "work.py", code=1).stderr


def test_a_mended_function_is_the_one_that_is_called(folder: Path) -> None:
    """And what it returns is shown."""
    (folder / "work.py").write_text(WORK.replace('by / row["number"]', 'by / (row["number"] or 1)'))
    assert turgo(folder, "replay", "work", "invert[1]", code=0).stdout == "6.0\n"


def test_the_variables_that_a_task_declares_are_set_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the file is loaded; one that was not set then is not set."""
    (tmp_path / "work.py").write_text(
        "import os\nfrom turgo import flow, task\n\nHOME = os.environ.get('MODEL_HOME')\n\n"
        "@task(env=['MODEL_HOME', 'MODEL_KEY'])\ndef load(number):\n"
        '    raise ValueError(f\'{HOME} {os.environ.get("MODEL_HOME")} {os.environ.get("MODEL_KEY")}\')\n\n'
        "work = flow(lambda: load(1), name='work')\n"
    )
    monkeypatch.setenv("MODEL_HOME", "then")
    monkeypatch.delenv("MODEL_KEY", raising=False)
    turgo(tmp_path, "run", "-q", "work.py", code=1)
    monkeypatch.setenv("MODEL_HOME", "now")
    monkeypatch.setenv("MODEL_KEY", "now")
    said = turgo(tmp_path, "replay", "work", "load", code=1).stderr
    assert "now: ValueError: then then None" in said


def test_what_cannot_be_replayed_is_said(folder: Path) -> None:
    """A call that did not fail, and a function that is gone."""
    said = turgo(folder, "replay", "work", "invert[2]", code=2).stderr
    assert (
        "the arguments of invert[2] are not in the journal of work-" in said
        and "It has those of invert[1]" in said
    )
    (folder / "work.py").write_text(WORK.replace("invert", "reverse"))
    said = turgo(folder, "replay", "work", "invert[1]", code=2).stderr
    assert "invert[1] cannot be replayed: its function or arguments cannot be had any more" in said


@pytest.mark.parametrize(
    ("task_run", "flow"),
    [("invert[2]", "invert.map(less.map([3, 2, 1]))"), ("total", "total(less.map([3, 2, 1]), more=one())")],
)
def test_what_its_own_batch_has_made_is_kept_as_well(task_run: str, flow: str, tmp_path: Path) -> None:
    """A map over a map, and what takes a whole map, as short calls run together with what they take."""
    (tmp_path / "deep.py").write_text(f"""
from turgo import flow, task

@task
def less(number):
    return number - 1

@task
def one():
    return 1

@task
def invert(number):
    return 1 / number

@task
def total(numbers, more):
    raise ValueError(f"{{numbers}} and {{more}}")

@flow
def deep():
    return {flow}
""")
    turgo(tmp_path, "run", "-q", "deep.py", code=1)
    said = turgo(tmp_path, "replay", "deep", task_run, code=1).stderr
    expected = "ZeroDivisionError: division by zero" if "[" in task_run else "ValueError: [2, 1, 0] and 1"
    assert f"then: {expected}" in said and f"now: {expected}" in said


def test_what_is_to_be_made_once_is_not_made_again_unasked(tmp_path: Path) -> None:
    """A payment that failed may have been made."""
    (tmp_path / "bill.py").write_text("""
from turgo import flow, task

@task(idempotent=False)
def pay(amount):
    with open("paid", "a") as file:
        file.write(f"{amount}\\n")
    raise TimeoutError("no answer")

@flow
def bill():
    return pay(7)
""")
    turgo(tmp_path, "run", "-q", "bill.py", code=1)
    refused = turgo(tmp_path, "replay", "bill", "pay", code=2).stderr
    assert "pay is to be made once (idempotent=False): --rerun-unsafe makes it again" in refused
    assert (tmp_path / "paid").read_text() == "7\n"
    turgo(tmp_path, "replay", "bill", "pay", "--rerun-unsafe", code=1)
    assert (tmp_path / "paid").read_text() == "7\n7\n"
