"""The runs whose journals lie in a folder: which there are, what became of them, and removing one."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from turgo.errors import JournalError, JournalFormatError
from turgo.journal.database import facts_of, failures_in, opened, places_in
from turgo.journal.folder import RunFolder, check_owned
from turgo.journal.shelf import shelf_at
from turgo.names import did_you_mean, nearest
from turgo.records.failure_facts import FailureFacts

logger = logging.getLogger("turgo")

RUNNING = "Running"
"""The state of a run that is at work."""

KILLED = "Killed"
"""The state of a run whose driver ended without a word."""

DAMAGED = "Damaged"
OLDER, NEWER = "Older format", "Newer format"
"""The state of a run whose journal another version of turgo has written."""


@attrs.frozen
class RunFacts:
    """What the journal of a run says of it.

    state: how it ended, or Running, Killed, Damaged, Older format, Newer format; counts: of task runs by state.
    started: seconds since the epoch; again: ids of the runs that went on with it.
    """

    folder: RunFolder
    state: str
    flow: str = ""
    target: str = ""
    file: str = ""
    executor: str = ""
    started: float = 0.0
    duration: float | None = None
    parameters: dict[str, str] = attrs.field(factory=dict)
    counts: dict[str, int] = attrs.field(factory=dict)
    error: str = ""
    again: list[str] = attrs.field(factory=list)

    @property
    def id(self) -> str:
        """The id of the run."""
        return self.folder.id

    @property
    def unfinished(self) -> bool:
        """Whether there is something to go on with."""
        return self.state not in ("Success", RUNNING, DAMAGED, OLDER, NEWER)


def facts_of_run(folder: RunFolder) -> RunFacts:
    """What is known of a run; if its journal cannot be read, its state says so, and its error why."""
    try:
        with contextlib.closing(opened(folder.database)) as database:
            facts = facts_of(database)
    except JournalFormatError as error:
        return RunFacts(folder, OLDER if error.found < error.known else NEWER, error=str(error))
    except (JournalError, sqlite3.Error, ValueError) as error:
        return RunFacts(folder, DAMAGED, error=str(error))
    if facts.get("state") == RUNNING and not folder.in_use:
        facts["state"] = KILLED
    names = {field.name for field in attrs.fields(RunFacts)} - {"folder"}
    known: dict[str, Any] = {"state": DAMAGED, **{name: facts[name] for name in names & facts.keys()}}
    return RunFacts(folder, **known)


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
    except sqlite3.Error as error:
        raise JournalError(f"the journal {folder.path} is damaged: {error}") from error


def columns_of(folder: RunFolder) -> dict[str, bytes]:
    """What became of the task runs of the last session, as the engine packed it; empty if nothing was written yet."""
    try:
        with contextlib.closing(opened(folder.database)) as database:
            return {name: bytes(content) for name, content in database.execute("SELECT * FROM columns")}
    except (sqlite3.Error, TypeError) as error:
        raise JournalError(f"the journal {folder.path} is damaged: {error}") from error


def inputs_of(folder: RunFolder, label: str) -> tuple[bytes, dict[str, str | None]]:
    """What a call that failed was made of, pickled, and its environment variables, None for one that was not set.

    Raises JournalError if that was not kept.
    """
    try:
        with contextlib.closing(opened(folder.database)) as database:
            rows = {
                name: (bytes(payload), json.loads(variables))
                for name, payload, variables in database.execute("SELECT * FROM inputs")
            }
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise JournalError(f"the journal {folder.path} is damaged: {error}") from error
    if label not in rows:
        hint = did_you_mean(nearest(label, rows)) or "."
        kept = ", ".join(rows) or "nothing"
        raise JournalError(
            f"the arguments of {label} are not in the journal of {folder.id}{hint} It has those of {kept}"
        )
    return rows[label]


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
    except (JournalError, sqlite3.Error):
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
    except (JournalError, sqlite3.Error):
        return  # a damaged one does not say where
    for place in places.values():
        try:
            shelf_at(place, folder.id).store.remove()
        except FileNotFoundError:
            continue
        except (OSError, JournalError) as error:
            logger.warning("the values of %s at %s cannot be removed: %s", folder.id, place, error)
