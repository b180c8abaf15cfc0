"""The page: what stands in it without any script."""

import html
import re
import sys
from pathlib import Path

import pytest

from turgo import Skip, flow, task
from turgo.errors import MissingPackageError, RunError, UsageError
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Ledger
from turgo.records.task_runs import TaskRuns

pytestmark = pytest.mark.usefixtures("inline_as_local")
bokeh = pytest.importorskip("bokeh")


@task
def open_letter(letter):
    if letter == "<b>bad</b>":
        raise ValueError("</script><script>alert(1)</script>")
    return letter


@task
def answer(letters, password="hunter2"):
    return len(letters)


@task
def nothing():
    raise Skip("no letters")


def read(run: FlowRun, folder: Path) -> str:
    """The text of its report, without scripts and tags."""
    text = run.report(folder / "run.html").read_text(encoding="utf-8")
    body = text.partition("</head>")[2]
    return html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL)))


def test_a_run_is_summed_up(tmp_path: Path) -> None:
    """State, tasks, shares, bound and critical path with inputs."""
    run = flow(name="post")(lambda: answer(open_letter.map(["a", "b"]))).run(executor="local")
    text = " ".join(read(run, tmp_path).split())
    assert f"post: Success Run {run.id} on local" in text
    assert "open_letter 2 Success" in text and "overhead" in text
    assert "it cannot be done in less than" in text and "on one slot: that is" in text
    assert re.search(r"open_letter\[[01]\] \(letter='[ab]'\)", text)
    assert "to the end of its last call" in text and "after the last call, as closing the executor" in text
    assert "Failures" not in text and run.slots == 1


def test_failures_are_shown_with_input_and_traceback(tmp_path: Path) -> None:
    """Escaped: they are the user's words, and no part of the page. Secrets are not shown."""
    run = flow(name="post")(lambda: answer(open_letter.map(["a", "<b>bad</b>"]), password="x7")).run(
        executor="local"
    )
    text = read(run, tmp_path)
    assert (
        "open_letter[1] (letter='<b>bad</b>') Failed" in text and "Traceback (most recent call last)" in text
    )
    page = (tmp_path / "run.html").read_text()
    assert "<b>bad</b>" not in page and "<script>alert" not in page and "x7" not in text


def test_a_run_without_calls_has_a_report(tmp_path: Path) -> None:
    """And a map over nothing."""
    run = flow(name="post")(lambda: open_letter.map([])).run(executor="local")
    assert "No call was made." in read(run, tmp_path) and "0 elements" in read(run, tmp_path)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """Nor does the report beside it stay half written."""
    run = flow(name="post")(lambda: nothing()).run(executor="local")
    (tmp_path / "run.html").mkdir()
    with pytest.raises(UsageError, match="is no file"):
        run.report(tmp_path / "run.html")
    with pytest.raises(FileNotFoundError):
        run.report(tmp_path / "nowhere" / "run.html")
    assert [each.name for each in tmp_path.iterdir()] == ["run.html"]


def test_a_run_that_is_not_over_has_none(tmp_path: Path) -> None:
    """It says so."""
    with pytest.raises(RunError, match="is not over: it is Pending"):
        FlowRun("post-1", "post", "local", TaskRuns(Ledger([], []))).report(tmp_path / "run.html")


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And writes nothing."""
    run = flow(name="post")(lambda: nothing()).run(executor="local")
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(MissingPackageError):
        run.report(tmp_path / "run.html")
    assert not list(tmp_path.iterdir())
