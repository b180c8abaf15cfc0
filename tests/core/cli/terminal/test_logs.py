"""`turgo run --log-level`: what is said of what a flow logs."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("inline_as_local")

FLOW = """
import logging
from turgo import current, flow, task

log = logging.getLogger(__name__)

@task
def speak(n):
    log.debug("in detail %d", n)
    log.info("in short %d", n)
    current().logger.info("its own %d", n)
    return n

@flow
def speaking():
    logging.getLogger("speaking.flow").info("recorded")
    return speak.map([1, 2])
"""
OWN = FLOW + "\nlogging.basicConfig(format='own: %(message)s')\n"


def said(folder: Path, text: str, *options: str) -> tuple[list[str], str]:
    """The lines on standard error, and standard output."""
    (folder / "speaking.py").write_text(text)
    command = [sys.executable, "-m", "turgo", "run", "-q", "speaking.py", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines(), done.stdout


def test_without_it_nothing_below_a_warning_is_said(tmp_path: Path) -> None:
    """As Python has it."""
    assert said(tmp_path, FLOW) == ([], "[1, 2]\n")


def test_with_a_level_what_is_logged_from_there_on_is_said(tmp_path: Path) -> None:
    """On standard error, with the name of the logger; each record once."""
    lines, result = said(tmp_path, FLOW, "--log-level", "Info")
    assert result == "[1, 2]\n"
    own = [line for line in lines if "speak" in line]
    assert sorted(own) == sorted(
        [
            "INFO speaking.flow: recorded",
            *(f"INFO speaking: in short {n}" for n in (1, 2)),
            *(f"INFO turgo.task.speak: its own {n}" for n in (1, 2)),
        ]
    )
    lines, _ = said(tmp_path, FLOW, "--log-level=debug")
    assert "DEBUG speaking: in detail 2" in lines


def test_a_file_that_sets_up_logging_keeps_its_form(tmp_path: Path) -> None:
    """Only the level is changed."""
    lines, _ = said(tmp_path, OWN, "--log-level", "info")
    assert "own: in short 1" in lines and not any(line.startswith("INFO") for line in lines)


def test_a_record_that_does_not_fit_its_text_stops_nothing(tmp_path: Path) -> None:
    """Python tells of it as it always does."""
    text = FLOW.replace('log.info("in short %d", n)', 'log.info("in short %d %d", n)')
    lines, result = said(tmp_path, text, "--log-level", "info")
    assert result == "[1, 2]\n" and any("not enough arguments" in line for line in lines)
