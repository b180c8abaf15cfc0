"""Journals that were damaged or changed: what was kept, a miss, or one sentence. Nothing else is unpickled."""

from __future__ import annotations

import contextlib
import json
import pickle
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import strategies as st

from turgo.cli.root import turgo
from turgo.engine.outcome.recorded import recorded_explanation
from turgo.errors import JournalError, TurgoError
from turgo.journal.archive import Archive
from turgo.journal.folder import RunFolder
from turgo.journal.limits import prune
from turgo.journal.runs import all_runs, columns_of, failures_of, inputs_of, size_of
from turgo.registry.source_files import load_source

inputs = load_source(Path(__file__).with_name("inputs.py"))
fuzzed, refused_or_taken, Planted = inputs.fuzzed, inputs.refused_or_taken, inputs.Planted

FLOW = """
from turgo import flow, task

@task(retries=1)
def half(number):
    if number == 3:
        raise ValueError("three cannot be halved")
    return number / 2

@task(trigger="all_finished", idempotent=False)
def total(halves):
    return len(halves)

@flow
def work():
    return total(half.map([1, 2, 3]))
"""


class Journal:
    """A journal of a run as it was written, and its folder, in which it is changed."""

    def __init__(self, root: Path, folder: RunFolder) -> None:
        self.root = root
        self.folder = folder
        self.database = folder.database.read_bytes()
        self.values = folder.values.read_bytes()
        self.kept = dict(_kept(folder))
        self.columns = columns_of(folder)

    def restore(self) -> None:
        """As it was."""
        for beside in ("-wal", "-shm", "-journal"):
            Path(f"{self.folder.database}{beside}").unlink(missing_ok=True)
        self.folder.database.write_bytes(self.database)
        self.folder.values.write_bytes(self.values)

    def read(self) -> None:
        """Ask for all that a journal is asked for: each answer is as it was written, or one sentence."""
        for run in all_runs(self.root):
            assert isinstance(run.state, str)
            size_of(run.folder)
        for ask in (failures_of, lambda folder: inputs_of(folder, "half[2]"), self._explained, self._taken):
            with refused_or_taken():
                ask(self.folder)
        assert prune(self.root, max_bytes=1 << 40, max_age_days=1000) == []
        assert not Planted.ran

    def _explained(self, folder: RunFolder) -> None:
        said = recorded_explanation(columns_of(folder), "run", ended_by="", killed=True)
        for asked in ("half", "half[2]", "total", "none"):
            with contextlib.suppress(TurgoError):
                said(asked)

    def _taken(self, folder: RunFolder) -> None:
        archive = Archive(folder)
        archive.fetch(self.kept)
        for identity, value in self.kept.items():
            assert identity not in archive or isinstance(archive.began(identity), bool)
            assert archive.take(identity) in (None, (value,))


def _kept(folder: RunFolder) -> Iterator[tuple[bytes, Any]]:
    archive = Archive(folder)
    for identity in list(archive._places):  # type: ignore[attr-defined]
        found = archive.take(identity)
        assert found is not None
        yield identity, found[0]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """Of a run that went wrong, on the executor of the tests."""
    home = tmp_path_factory.mktemp("journals")
    (home / "work.py").write_text(FLOW, encoding="utf-8")
    inline = Path(__file__).parents[1] / "core" / "inline_executor.py"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(home))
        patch.chdir(home)
        command = ["run", "-q", "work.py", "-e", f"{inline}:InlineExecutor"]
        assert CliRunner().invoke(turgo, command).exit_code == 0
    root = home / "turgo" / "runs"
    (run,) = all_runs(root)
    return Journal(root, run.folder)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """What is told of each damaged value is not kept."""
    caplog.set_level("CRITICAL")


@fuzzed(st.data(), slow=True)
def test_a_database_of_other_bytes(journal: Journal, data: st.DataObject) -> None:
    """Its head, its pages, its end."""
    journal.restore()
    journal.folder.database.write_bytes(data.draw(inputs.mutated([journal.database])))
    with refused_or_taken():
        journal.read()


@fuzzed(st.data())
def test_a_file_of_values_of_other_bytes(journal: Journal, data: st.DataObject) -> None:
    """Cut, put in, or a pickle of somebody else's in the place."""
    journal.restore()
    planted = journal.values[:3] + pickle.dumps(Planted())
    journal.folder.values.write_bytes(data.draw(inputs.mutated([journal.values, planted])))
    with refused_or_taken():
        journal._taken(journal.folder)  # type: ignore[attr-defined]
    assert not Planted.ran


TABLES = {
    "facts": ("name", "value"),
    "tasks": ("name", "parts"),
    "calls": ("task", "identities", "place", "name", "position", "size", "digest", "content"),
    "places": ("number", "place"),
    "begun": ("identity",),
    "inputs": ("label", "payload", "variables"),
    "failures": (
        "label",
        "task",
        "title",
        "state",
        "attempts",
        "worker",
        "error",
        "traceback",
        "log",
        "replayable",
    ),
    "columns": ("name", "content"),
}

CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=60),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    inputs.ANYTHING.map(lambda value: json.dumps(value, default=str, skipkeys=True)),
    st.sampled_from(
        ("[" * 100_000, "1e999", '"' + "9" * 5000, "state", "Running", "started", "structure", "half[2]")
    ),
    st.sampled_from(
        ("memory://x", "file://[", "~nobody-here", "a\0b", "/", "nowhere://x", "***", "nowhere://u:***@x")
    ),
    st.just(pickle.dumps(Planted())),
    st.just(b"\xff\xfe"),
)


@fuzzed(
    st.sampled_from([(table, column) for table in TABLES for column in TABLES[table]]),
    CELLS,
    st.booleans(),
    slow=True,
)
def test_a_cell_that_holds_something_else(
    journal: Journal, place: tuple[str, str], value: Any, new: bool
) -> None:
    """In rows that are there, or in one more."""
    journal.restore()
    table, column = place
    with (
        contextlib.closing(sqlite3.connect(journal.folder.database)) as database,
        contextlib.suppress(sqlite3.Error),
    ):
        if new:
            rows = database.execute(f"SELECT {', '.join(TABLES[table])} FROM {table} LIMIT 1").fetchall()
            row = dict(zip(TABLES[table], rows[0] if rows else ("x",) * len(TABLES[table]), strict=True))
            row[column] = value
            marks = ", ".join("?" * len(row))
            database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
        else:
            database.execute(f"UPDATE {table} SET {column} = ?", (value,))
        database.commit()
    journal.read()


@fuzzed(st.data())
def test_columns_that_say_something_else(journal: Journal, data: st.DataObject) -> None:
    """Facts of other kinds where a journal has numbers and lists, or other bytes."""
    name = data.draw(st.sampled_from(sorted(journal.columns)))
    written = journal.columns[name]
    if name in ("structure", "attempts") and data.draw(st.booleans()):
        changed = inputs.replaced(json.loads(zlib.decompress(written)), data.draw)
        content = zlib.compress(
            json.dumps(changed, default=str, skipkeys=True).encode(errors="surrogatepass")
        )
    elif data.draw(st.booleans()):
        content = zlib.compress(data.draw(inputs.mutated([zlib.decompress(written) if written else b""])))
    else:
        content = data.draw(inputs.mutated([written]))
    with refused_or_taken(kind=JournalError):
        said = recorded_explanation({**journal.columns, name: content}, "run", ended_by="", killed=False)
        for asked in ("half", "half[2]", "total"):
            with contextlib.suppress(TurgoError):
                said(asked)


@fuzzed(
    inputs.with_a_part_replaced(
        [{"state": "Failed", "started": 1e9, "parameters": {"a": "1"}, "counts": {"Success": 3}}]
    ),
    slow=True,
)
def test_facts_of_other_kinds_are_listed(journal: Journal, facts: Any) -> None:
    """By `turgo runs list` and `show`, as text and as JSON."""
    journal.restore()
    with contextlib.closing(sqlite3.connect(journal.folder.database)) as database:
        for name, value in facts.items() if isinstance(facts, dict) else ():
            with contextlib.suppress(UnicodeEncodeError, OverflowError, ValueError):
                text = json.dumps(value, default=str, skipkeys=True)
                database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (str(name), text))
        database.commit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TURGO_JOURNAL__FOLDER", str(journal.root))
        for command in (["list"], ["list", "--json"], ["show", "work-"], ["show", "work-", "half", "--json"]):
            result = CliRunner().invoke(turgo, ["runs", *command])
            assert result.exit_code == 0 or isinstance(result.exception, (TurgoError, SystemExit)), (
                result.exception
            )
