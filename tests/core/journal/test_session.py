"""A driver's time with a run: what begins a journal, and what keeps it from being written."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.config.load import load_config
from turgo.errors import JournalError
from turgo.journal.runs import all_runs
from turgo.journal.session import new_session, parameters_digest

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def half(number):
    return 1 / number


@flow
def halves(numbers=(1, 2), path=Path("here")):
    return half.map(list(numbers))


def test_a_run_writes_what_it_was_and_how_it_ended(no_settings_of_the_user):
    """Into the state directory of the user: parameters, counts, each failure with its traceback."""
    run = halves.run([1, 0], journal=True)
    (facts,) = all_runs(no_settings_of_the_user / "state" / "turgo" / "runs")
    assert (facts.id, facts.state, facts.flow, facts.executor) == (run.id, "Failed", "halves", "local")
    assert facts.counts == {"Success": 1, "Failed": 1} and facts.parameters["numbers"] == "[1, 0]"
    assert facts.error.startswith("TaskFailedError: half[1] (number=0) is Failed: ZeroDivisionError")


def test_parameters_are_the_same_however_they_are_given():
    """Defaults among them; other values are others."""
    same = [parameters_digest(halves, given) for given in ({}, {"numbers": (1, 2)}, {"path": Path("here")})]
    assert len(set(same)) == 1 and parameters_digest(halves, {"numbers": (1, 3)}) not in same


def test_a_journal_that_cannot_be_written_is_told_once(monkeypatch, tmp_path, caplog):
    """The run goes on without it; if it is required, nothing runs."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("TURGO_JOURNAL__FOLDER", str(tmp_path / "file" / "runs"))
    with caplog.at_level(logging.WARNING):
        assert halves.run(journal=True).ok
    assert len(caplog.records) == 1 and "this run goes on without it" in caplog.text
    monkeypatch.setenv("TURGO_JOURNAL__REQUIRED", "true")
    with pytest.raises(JournalError, match="required"):
        halves.run(journal=True)


def test_a_session_that_never_ran_leaves_a_run_that_was_killed(no_settings_of_the_user):
    """And its lock is free."""
    session = new_session(load_config(), halves, "local", {})
    assert session is not None
    session.end()
    session.end()
    (facts,) = all_runs(no_settings_of_the_user / "state" / "turgo" / "runs")
    assert facts.state == "Killed" and not facts.folder.in_use


def test_an_end_that_is_interrupted_leaves_no_lock(no_settings_of_the_user):
    """Not even between the last value and the state of the run: it counts as killed."""
    session = new_session(load_config(), halves, "local", {})
    assert session is not None
    session.writer.finish()
    session.end()
    (facts,) = all_runs(no_settings_of_the_user / "state" / "turgo" / "runs")
    assert facts.state == "Killed" and not facts.folder.in_use


def test_a_run_without_a_journal_loads_nothing_of_it(tmp_path):
    """Neither SQLite nor what makes identities."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom turgo import flow, task\n\n@task\ndef one():\n    return 1\n\n\n"
        "assert flow(lambda: one()).run(executor='local').result == 1\n"
        "print([name for name in ('sqlite3', 'turgo.journal', 'turgo.identity') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
