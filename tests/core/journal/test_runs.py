"""The runs whose journals are kept: listed, found by the beginning of an id."""

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from turgo.config.load import load_config
from turgo.errors import JournalError
from turgo.journal import runs
from turgo.journal.archive import Archive
from turgo.journal.facts import facts_of_run
from turgo.journal.folder import new_folder, root_in
from turgo.journal.writer import JournalWriter


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three runs, each begun an hour after the one before: done-1, failed-2, failed-3."""
    root = tmp_path / "runs"
    for number, name in enumerate(["done-1", "failed-2", "failed-3"]):
        write(
            root,
            name,
            state="Success" if number == 0 else "Failed",
            started=time.time() - 3600 * (3 - number),
        )
    return root


def write(root: Path, name: str, **facts: Any) -> None:
    """The journal of a run."""
    writer = JournalWriter(new_folder(root, name), most=1000)
    writer.put({"target": "work.py:work", "parameters_digest": "one", **facts})
    writer.write_end({}, [])


def test_all_runs_are_listed_the_last_one_first(root: Path) -> None:
    """Also one that was damaged, and one whose driver is gone without a word or is at work."""
    write(root, "killed-4", state="Running", started=time.time())
    (root / "damaged-5").mkdir()
    at_work = JournalWriter(new_folder(root, "at-work-6"), most=1000)
    at_work.put({"state": "Running", "started": time.time() + 60})
    while facts_of_run(at_work.folder).state != "Running":  # the thread writes it soon
        pass
    states = [(run.id, run.state) for run in runs.all_runs(root)]
    assert states == [
        ("at-work-6", "Running"),
        ("killed-4", "Killed"),
        ("failed-3", "Failed"),
        ("failed-2", "Failed"),
        ("done-1", "Success"),
        ("damaged-5", "Damaged"),
    ]
    with pytest.raises(JournalError, match="another driver"):
        runs.remove(at_work.folder)
    at_work.write_end({}, [])
    assert runs.all_runs(root / "none") == []


def test_a_run_is_found_by_the_beginning_of_its_id(root: Path) -> None:
    """If that is one run's alone; else the message says what there is."""
    assert runs.run_named(root, "done").id == "done-1"
    with pytest.raises(JournalError, match="several runs: failed-3, failed-2"):
        runs.run_named(root, "failed")
    with pytest.raises(JournalError, match="no journal of a run 'done-2'; did you mean 'done-1'"):
        runs.run_named(root, "done-2")


def test_the_last_unfinished_run_of_a_flow_with_the_same_parameters(root: Path) -> None:
    """Not one that succeeded, of another flow, or with other parameters."""
    write(root, "other-4", state="Failed", started=time.time(), parameters_digest="two")
    write(root, "other-5", state="Failed", started=time.time(), target="else.py:work")
    assert runs.last_unfinished(root, "work.py:work", "one").id == "failed-3"
    with pytest.raises(JournalError, match=r"no unfinished run of work.py:work"):
        runs.last_unfinished(root, "work.py:work", "three")


def test_a_run_at_work_is_named_where_nothing_is_left_to_go_on_with(root: Path) -> None:
    """It is that which one waits for."""
    writer = JournalWriter(new_folder(root, "busy-6"), most=1000)
    writer.put({"target": "busy.py:work", "parameters_digest": "one", "state": "Running"})
    end = time.monotonic() + 60  # it is written in bunches
    while not runs.run_named(root, "busy-6").target and time.monotonic() < end:
        time.sleep(0.02)
    with pytest.raises(JournalError, match="to go on with; busy-6 is at work"):
        runs.last_unfinished(root, "busy.py:work", "one")
    writer.write_end({}, [])


@pytest.mark.parametrize(
    ("change", "ask"),
    [
        ("INSERT INTO columns VALUES ('states', 1000000000000)", runs.columns_of),
        ("INSERT INTO inputs VALUES ('a', 1000000000000, '{}')", lambda folder: runs.inputs_of(folder, "a")),
        ("INSERT INTO inputs VALUES ('a', x'00', '[1]')", lambda folder: runs.inputs_of(folder, "a")),
        ("INSERT INTO failures VALUES (1, 2, 3, 4, x'05', 6, 7, 8, 9, 10)", runs.failures_of),
        ("INSERT INTO places VALUES (1, x'00')", Archive),
        ("INSERT INTO tasks VALUES ('a', '[1]')", Archive),
        ("INSERT INTO tasks VALUES ('a', CAST(x'7b0a1b5b33316dff' AS TEXT))", Archive),
    ],
)
def test_a_cell_that_somebody_has_changed_is_damage(root: Path, change: str, ask: Any) -> None:
    """In one sentence, whatever is asked for; the run can be listed and removed."""
    folder = runs.run_named(root, "done-1").folder
    with contextlib.closing(sqlite3.connect(folder.database)) as database:
        database.execute(change)
        database.commit()
    with pytest.raises(JournalError, match="is damaged: ") as caught:
        ask(folder)
    assert str(caught.value).isprintable()
    runs.size_of(folder)
    runs.remove(folder)


def test_a_folder_of_journals_is_meant_as_that_of_a_cache_is(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the file that names it, `~` is the home; a URL is none."""
    monkeypatch.setenv("HOME", str(project / "home"))
    for written, meant in (("runs", project / "runs"), ("~/runs", project / "home" / "runs")):
        (project / "turgo.toml").write_text(f'[journal]\nfolder = "{written}"\n')
        (project / "below").mkdir(exist_ok=True)
        assert root_in(load_config(project / "below")) == meant
    for wrong in ("s3://team/runs", "~nobody-of-this-name/runs"):
        monkeypatch.setenv("TURGO_JOURNAL__FOLDER", wrong)
        with pytest.raises(JournalError, match="variable TURGO_JOURNAL__FOLDER"):
            root_in(load_config(project))
