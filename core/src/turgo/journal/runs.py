"""The runs whose journals lie in a folder: which there are, what became of them, and removing one."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turgo.errors import JournalError
from turgo.journal.database import (
    bytes_in,
    damage,
    facts_of,
    failures_in,
    loaded,
    opened,
    places_in,
    storable,
)
from turgo.journal.facts import RUNNING, RunFacts, facts_of_run
from turgo.journal.folder import RunFolder, check_owned
from turgo.journal.shelf import shelf_at
from turgo.names import did_you_mean, nearest
from turgo.records.failure_facts import FailureFacts

logger = logging.getLogger("turgo")


def all_runs(root: Path) -> list[RunFacts]:
    """All runs, the last one first. Raises JournalError if the folder is another user's."""
    found = [facts_of_run(folder) for folder in _folders(root)]
    return sorted(found, key=lambda run: run.started, reverse=True)


def _folders(root: Path) -> Iterator[RunFolder]:
    if root.is_dir():
        check_owned(root)
        for path in sorted(root.iterdir()):
            if path.is_dir() and not path.is_symlink():
                with contextlib.suppress(JournalError):
                    yield RunFolder(path)


def run_named(root: Path, asked: str) -> RunFacts:
    """The run of an id, or of the beginning of one, also of a run that went on with it.

    Raises JournalError if there is none, or more than one.
    """
    runs = all_runs(root)
    found = (
        [run for run in runs if run.id == asked]
        or [run for run in runs if run.id.startswith(asked)]
        or [run for run in runs if any(each.startswith(asked) for each in run.again)]
    )
    if len(found) == 1:
        return found[0]
    if found:
        raise JournalError(
            f"{asked!r} is the beginning of several runs: {', '.join(run.id for run in found)}"
        )
    hint = did_you_mean(nearest(asked, [run.id for run in runs])) or "."
    raise JournalError(
        f"there is no journal of a run {asked!r}{hint} `turgo runs list` shows those that there are"
    )


def last_run(root: Path) -> RunFacts:
    """The run that began last. Raises JournalError if none is kept."""
    for run in all_runs(root):
        return run
    raise JournalError(
        "no run is kept; `turgo run` keeps a journal of each, `flow.run(journal=True)` of that one"
    )


def last_unfinished(root: Path, target: str, digest: str) -> RunFacts:
    """The last run of a flow with the same parameters that did not succeed. Raises JournalError if there is none."""
    runs = [run for run in all_runs(root) if run.target == target]
    for run in runs:
        if run.unfinished and digest_of_parameters(run.folder) == digest:
            return run
    at_work = [run.id for run in runs if run.state == RUNNING]
    hint = f"{at_work[0]} is at work" if at_work else "`turgo runs list` shows all runs"
    raise JournalError(f"there is no unfinished run of {target} with these parameters to go on with; {hint}")


def digest_of_parameters(folder: RunFolder) -> str:
    """The digest of what a run was given."""
    with contextlib.closing(opened(folder.database)) as database:
        return str(facts_of(database).get("parameters_digest"))


def failures_of(folder: RunFolder) -> list[FailureFacts]:
    """The failures of the last session. Raises JournalError if the journal was damaged."""
    try:
        with contextlib.closing(opened(folder.database)) as database:
            return failures_in(database)
    except (sqlite3.Error, ValueError) as error:
        raise damage(folder.path, error) from error


def columns_of(folder: RunFolder) -> dict[str, bytes]:
    """What became of the task runs of the last session, as the engine packed it; empty if nothing was written yet."""
    try:
        with contextlib.closing(opened(folder.database)) as database:
            return {name: bytes_in(content) for name, content in database.execute("SELECT * FROM columns")}
    except (sqlite3.Error, ValueError) as error:
        raise damage(folder.path, error) from error


def inputs_of(folder: RunFolder, label: str) -> tuple[bytes, dict[str, str | None]]:
    """What a call that failed was made of, pickled, and its environment variables, None for one that was not set.

    Raises JournalError if that was not kept.
    """
    try:
        with contextlib.closing(opened(folder.database)) as database:
            rows = {
                name: (bytes_in(payload), _variables_in(variables))
                for name, payload, variables in database.execute("SELECT * FROM inputs")
            }
    except (sqlite3.Error, ValueError) as error:
        raise damage(folder.path, error) from error
    label = storable(label)
    if not all(isinstance(name, str) for name in rows):
        raise JournalError(f"the journal {folder.path} is damaged: it has arguments of no call")
    if label not in rows:
        hint = did_you_mean(nearest(label, rows)) or "."
        kept = " ".join(", ".join(rows).split()) or "nothing"
        raise JournalError(
            f"the arguments of {label} are not in the journal of {folder.id}{hint} It has those of {kept}"
        )
    return rows[label]


def _variables_in(text: Any) -> dict[str, str | None]:
    variables = loaded(text)
    texts = [*variables, *variables.values()] if isinstance(variables, dict) else [0]
    if not all(each is None or (isinstance(each, str) and "\0" not in each) for each in texts):
        raise ValueError("it has variables that are none")
    return variables  # type: ignore[no-any-return]


def size_of(folder: RunFolder) -> int:
    """Bytes that a run takes, with its values at other places."""
    sizes = []
    for path in folder.path.iterdir():
        with contextlib.suppress(OSError):
            sizes.append(path.stat().st_size)
    return sum(sizes) + (bytes_elsewhere(folder) if folder.has_values_elsewhere else 0)


def bytes_elsewhere(folder: RunFolder) -> int:
    """Bytes of the values of a run at other places; 0 if its journal cannot be read."""
    try:
        with contextlib.closing(opened(folder.database)) as database:
            (found,) = database.execute("SELECT sum(size) FROM calls WHERE place > 0").fetchone()
    except (JournalError, sqlite3.Error, ValueError):
        return 0
    return found if isinstance(found, int) else 0


def remove(folder: RunFolder) -> None:
    """Remove the journal of a run, with its values at other places; those that cannot be reached are told of, and stay.

    Raises JournalError if a driver runs it.
    """
    folder.lock()
    try:
        _remove_values(folder)
        shutil.rmtree(folder.path)
    except OSError as error:
        raise JournalError(
            f"the journal {folder.path} cannot be removed: {error.strerror or error}"
        ) from error
    finally:
        folder.unlock()


def _remove_values(folder: RunFolder) -> None:
    """Remove what a run has at other places than beside its journal."""
    try:
        with contextlib.closing(opened(folder.database)) as database:
            places = places_in(database)
    except (JournalError, sqlite3.Error, ValueError):
        return  # a damaged one does not say where
    for place in places.values():
        try:
            shelf_at(place, folder.id).store.remove()
        except FileNotFoundError:
            continue
        except (OSError, JournalError) as error:
            logger.warning("the values of %s at %s cannot be removed: %s", folder.id, place, error)
