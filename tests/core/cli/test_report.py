"""`turgo run --report`: checked before the run, written however it ends."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from turgo import flow, task
from turgo.cli.report import check_report, shows_inputs, write_report
from turgo.errors import MissingPackageError, UsageError
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Ledger
from turgo.records.task_runs import TaskRuns

FLOW = """
import signal

from turgo import flow, task

@task
def half(number: int) -> float:
    if number < 0:
        signal.raise_signal(signal.SIGTERM)
    return 1 / number

@flow
def halves(least: int = 0):
    return half.map([1, least])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a flow file, and current."""
    monkeypatch.chdir(tmp_path)
    Path("halves.py").write_text(FLOW)
    return tmp_path


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """`turgo run halves.py` on an executor that needs no plugin."""
    inline = f"{Path(__file__).parents[1]}/inline_executor.py:InlineExecutor"
    command = [sys.executable, "-m", "turgo", "run", "-q", "halves.py", "-e", inline, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize(
    ("least", "code", "word"), [(2, 0, "Success"), (0, 1, "Failed"), (-1, 130, "Cancelled")]
)
def test_a_report_is_written_however_the_run_ends(folder: Path, least: int, code: int, word: str) -> None:
    """Success, failure, SIGTERM; with the inputs of calls."""
    pytest.importorskip("bokeh")
    done = run("-p", f"least={least}", "--report", "run.html")
    assert done.returncode == code and "report: run.html" in done.stderr
    page = Path("run.html").read_text()
    assert f'class="{word}"' in page and "half[0] (number=1)" in page


def test_mistakes_are_found_before_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is not there, a run that is none, a package that is missing."""
    with pytest.raises(click.UsageError, match="is no folder that can be written to"):
        check_report(Path("nowhere/run.html"), dry_run=False)
    with pytest.raises(click.UsageError, match="--dry-run runs nothing"):
        check_report(Path("run.html"), dry_run=True)
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(MissingPackageError):
        check_report(Path("run.html"), dry_run=False)


def test_what_is_no_file_is_not_replaced(folder: Path) -> None:
    """A device and a pipe are refused before the run, a link leads to its target."""
    pytest.importorskip("bokeh")
    os.mkfifo("pipe")
    for place in ("pipe", "/dev/full", "."):
        with pytest.raises((click.UsageError, UsageError)):
            check_report(Path(place), dry_run=False)
    Path("target").mkdir()
    Path("link.html").symlink_to("target/run.html")
    assert run("-p", "least=2", "--report", "link.html").returncode == 0
    assert Path("link.html").is_symlink() and "half[0]" in Path("target/run.html").read_text()


@pytest.mark.parametrize(("width", "shown"), [(100, True), (20_000, False)])
def test_a_run_of_many_calls_holds_no_values_for_its_report(width: int, shown: bool) -> None:
    """As it shows no inputs."""
    half = task(name="half")(lambda number: number / 2)
    assert shows_inputs(flow(name="halves")(lambda: half.map(half.map(range(width)))).record()) is shown


def test_a_report_that_cannot_be_written_is_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run is over, and its result is to be shown. One that never started has none."""
    run = FlowRun("halves-1", "halves", "local", TaskRuns(Ledger([], [])))
    write_report(run, Path("run.html"))
    assert capsys.readouterr().err == ""
    run.started = 1.0
    write_report(run, Path("run.html"))
    assert "the report run.html was not written: RunError" in capsys.readouterr().err
