"""What a journal says of its run as a whole, also one that was damaged or that another turgo has written."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from turgo.journal.database import FORMAT_VERSION, create
from turgo.journal.facts import DAMAGED, facts_of_run
from turgo.journal.folder import new_folder


@pytest.mark.parametrize(("steps", "state"), [(-1, "Older format"), (1, "Newer format")])
def test_a_run_of_another_turgo_is_not_said_to_be_damaged(tmp_path: Path, steps: int, state: str) -> None:
    """Its state says whose it is, and its error both formats; there is nothing to go on with."""
    folder = new_folder(tmp_path, "other-7")
    database = create(folder.database)
    database.execute(f"PRAGMA user_version={FORMAT_VERSION + steps}")
    database.close()
    found = facts_of_run(folder)
    assert found.state == state and not found.unfinished
    assert f"(format {FORMAT_VERSION + steps}, this one reads {FORMAT_VERSION})" in found.error


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("started", "yesterday"),
        ("started", 1e300),
        ("duration", -1.0),
        ("parameters", ["a"]),
        ("parameters", {"a": 1}),
        ("counts", {"Success": "three"}),
        ("again", "run-1"),
        ("state", None),
    ],
)
def test_a_fact_that_is_none_makes_it_a_damaged_run(tmp_path: Path, name: str, value: Any) -> None:
    """And no traceback in the list of all runs. The error names the fact."""
    folder = new_folder(tmp_path, "changed-1")
    with contextlib.closing(create(folder.database)) as database:
        database.execute("INSERT INTO facts VALUES ('state', '\"Failed\"')")
        database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))
    found = facts_of_run(folder)
    assert found.state == DAMAGED and name in found.error


@pytest.mark.parametrize("cell", ["[" * 100_000, 5, b"\xff", None, "{"])
def test_a_cell_that_is_no_fact_makes_it_one_too(tmp_path: Path, cell: object) -> None:
    """Whatever type SQLite has for it."""
    folder = new_folder(tmp_path, "changed-2")
    with contextlib.closing(create(folder.database)) as database, contextlib.suppress(Exception):
        database.execute("INSERT INTO facts VALUES ('state', ?)", (cell,))
    assert facts_of_run(folder).state == DAMAGED
