"""What commands print with: streams that are closed, full or read no further."""

import json
import subprocess
import sys
from datetime import date

import pytest

from turgo.cli.terminal.output import finish, show, show_error, show_json, show_warning, terminal_width


def test_results_and_everything_else_are_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for goes to standard output, errors and warnings to standard error."""
    show("42")
    show_error("it broke")
    show_warning("it creaks")
    out, err = capsys.readouterr()
    assert out == "42\n"
    assert err == "Error: it broke\nWarning: it creaks\n"


def test_what_json_has_no_form_for_goes_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """As a date of TOML."""
    show_json({"since": date(2026, 11, 28), "n": 1})
    assert json.loads(capsys.readouterr().out) == {"since": "2026-11-28", "n": 1}


def test_a_pipe_has_no_width(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is broken into lines there."""
    assert terminal_width() is None


@pytest.mark.parametrize("said", ["show('x' * 200_000)", "show_error('x' * 200_000)"])
def test_a_reader_that_is_gone_is_no_error(said: str) -> None:
    """A command that prints into a closed pipe ends as if nobody had asked for the rest."""
    stream = "stdout" if said.startswith("show(") else "stderr"
    other = "stderr" if stream == "stdout" else "stdout"
    code = (
        "import sys; from turgo.cli.terminal.output import *; sys.stdin.readline(); "
        f"{said}; finish(); print('over', file=sys.{other})"
    )
    line = [sys.executable, "-c", code]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        closed, kept = (
            (process.stdout, process.stderr) if stream == "stdout" else (process.stderr, process.stdout)
        )
        closed.close()
        process.stdin.write("go\n")
        process.stdin.flush()
        assert kept.readline() == "over\n"
        assert process.wait(60) == 0


def test_a_stream_that_was_closed_before_python_began_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has None in its place then."""
    monkeypatch.setattr(sys, "stdout", None)
    finish()
