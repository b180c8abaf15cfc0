"""`turgo runs`: what became of earlier runs."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from turgo import flow, task
from turgo.cli.root import turgo
from turgo.errors import ParameterError
from turgo.journal.folder import RunFolder
from turgo.journal.runs import columns_of

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task(log_prints=True)
def half(number):
    print("halving", number)
    return 1 / number


@flow
def halves(numbers):
    return half.map(list(numbers))


def ask(*arguments: str) -> Result:
    """What `turgo runs …` says."""
    return CliRunner().invoke(turgo, ["runs", *arguments])


def test_runs_are_listed_with_their_state_and_counts() -> None:
    """The last one first; for machines too."""
    first, last = halves.run([1], journal=True), halves.run([1, 0], journal=True)
    lines = ask("list").output.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [[last.id, "Failed"], [first.id, "Success"]]
    assert lines[1].rstrip().endswith("1 Success, 1 Failed")
    records = json.loads(ask("list", "--json").output)
    assert records[0]["counts"] == {"Success": 1, "Failed": 1} and records[0]["bytes"] > 0
    assert ask().output == ask("list").output


def test_a_run_is_shown_with_its_failures() -> None:
    """Parameters, traceback and log; one task run by its label; for machines too."""
    run = halves.run([1, 0], journal=True)
    shown = ask("show", run.id[:-3]).output
    assert f"{run.id}: Failed on local" in shown and "parameter numbers: [1, 0]" in shown
    assert "half[1] (number=0) Failed on " in shown and "ZeroDivisionError: division by zero" in shown
    assert shown.endswith(f"  to make it again here: turgo replay {run.id} 'half[1]'\n")
    assert "its log:\n    halving 0" in ask("show", run.id, "half[1]").output
    (facts,) = json.loads(ask("show", run.id, "--json").output)["failures"]
    assert (facts["label"], facts["title"], facts["attempts"]) == ("half[1]", "half[1] (number=0)", 1)
    assert isinstance(ask("show", run.id, "halve").exception, ParameterError)


def test_the_last_run_need_not_be_named() -> None:
    """A newcomer types no id; where no run is kept, it says what keeps one."""
    assert "no run is kept; `turgo run` keeps" in str(ask("show").exception)
    halves.run([1, 0], journal=True)
    last = halves.run([1], journal=True)
    assert ask("show").output == ask("show", last.id).output


def test_failures_that_are_alike_are_shown_together() -> None:
    """As in the summary of the run."""
    shown = ask("show", halves.run([1, 0, 0, 0], journal=True).id).output
    assert "  2 like it:\n    half[2] (number=0)\n    half[3] (number=0)\n" in shown
    assert shown.count("Traceback") == 1


def test_any_task_run_is_explained() -> None:
    """One that ran, all of a task; for machines too."""
    run = halves.run([1, 0], journal=True)
    said = ask("show", run.id, "half[0]").output
    assert said.startswith("half[0] is Success, after ") and said.endswith("its value is kept.\n")
    assert ask("show", run.id, "half").output.startswith(
        "2 task runs: 1 Success, 1 Failed.\nhalf[1] (number=0) is Failed:"
    )
    record = json.loads(ask("show", run.id, "half[1]", "--json").output)
    assert record["explanation"].startswith(
        "half[1] (number=0) is Failed: ZeroDivisionError: division by zero, after"
    )


KILLED = """
import os, signal, time
from turgo import flow, task

@task
def one():
    return 1

@task
def two(number):
    while not os.path.exists("written"):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)

@task
def three(number):
    return number

@flow
def work():
    return three(two(one()))
"""


def test_what_a_killed_driver_had_not_reached_is_explained(tmp_path: Path) -> None:
    """By what was written before; the kill waits for that."""
    (tmp_path / "work.py").write_text(KILLED)
    command = [sys.executable, "-m", "turgo", "run", "-q", "work.py"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as driver:
        try:
            while not (tmp_path / "written").exists() and driver.poll() is None:
                runs = json.loads(ask("list", "--json").output)
                if runs and runs[0]["state"] == "Running" and columns_of(RunFolder(Path(runs[0]["folder"]))):
                    (tmp_path / "written").touch()
                time.sleep(0.05)
            driver.wait(60)
        finally:
            driver.kill()
    assert driver.returncode == -signal.SIGKILL
    counted = ask("show", runs[0]["id"]).output
    assert "Killed" in counted and "task runs: " in counted and "Pending" in counted
    said = ask("show", runs[0]["id"], "three").output
    assert said.startswith("three is Pending: it waits for two (")
    assert said.endswith("); the driver was killed before it was over.\n")


def test_runs_are_removed_and_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    """By id, and those that are too much."""
    first, last = halves.run([1], journal=True), halves.run([2], journal=True)
    assert ask("rm", first.id).output == f"removed {first.id}\n"
    assert ask("prune").output == "there is nothing to remove\n"
    monkeypatch.setenv("TURGO_JOURNAL__MAX_BYTES", "1")
    assert ask("prune").output == f"removed {last.id}\n"
    assert ask("list").output == "no run is kept\n"


def test_what_was_damaged_is_listed_and_can_be_removed() -> None:
    """It is no traceback."""
    run = halves.run([1], journal=True)
    folder = Path(json.loads(ask("list", "--json").output)[0]["folder"])
    (folder / "journal.sqlite").write_bytes(b"nonsense" * 100)
    assert "Damaged" in ask("list").output
    assert ask("rm", run.id).output == f"removed {run.id}\n"
