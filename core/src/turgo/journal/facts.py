"""What the journal of a run says of it as a whole: of which flow it is, when it began, how it ended.

Somebody may have damaged or changed the database, so each fact is looked at before it is believed.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import attrs
from attrs.validators import and_, deep_iterable, deep_mapping, ge, instance_of, lt, optional

from turgo.errors import JournalError
from turgo.journal.database import FORMAT_VERSION, damage, facts_of, format_of, opened
from turgo.journal.folder import RunFolder

RUNNING = "Running"
"""The state of a run that is at work."""

KILLED = "Killed"
"""The state of a run whose driver ended without a word."""

DAMAGED = "Damaged"
OLDER, NEWER = "Older format", "Newer format"
"""The state of a run whose journal another version of turgo has written."""

_MOST_SECONDS = 1e11
_TEXT = instance_of(str)
_SECONDS: Any = and_(instance_of((int, float)), ge(0), lt(_MOST_SECONDS))


@attrs.frozen
class RunFacts:
    """What the journal of a run says of it. Raises TypeError or ValueError for a fact that is none.

    state: how it ended, or Running, Killed, Damaged, Older format, Newer format; counts: of task runs by state.
    started: seconds since the epoch; again: ids of the runs that went on with it.
    """

    folder: RunFolder
    state: str = attrs.field(validator=_TEXT)
    flow: str = attrs.field(default="", validator=_TEXT)
    target: str = attrs.field(default="", validator=_TEXT)
    file: str = attrs.field(default="", validator=_TEXT)
    executor: str = attrs.field(default="", validator=_TEXT)
    started: float = attrs.field(default=0.0, validator=_SECONDS)
    duration: float | None = attrs.field(default=None, validator=optional(_SECONDS))
    parameters: dict[str, str] = attrs.field(
        factory=dict, validator=deep_mapping(_TEXT, _TEXT, instance_of(dict))
    )
    counts: dict[str, int] = attrs.field(
        factory=dict, validator=deep_mapping(_TEXT, instance_of(int), instance_of(dict))
    )
    error: str = attrs.field(default="", validator=_TEXT)
    again: list[str] = attrs.field(factory=list, validator=deep_iterable(_TEXT, instance_of(list)))

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
        if facts.get("state") == RUNNING and not folder.in_use:
            facts["state"] = KILLED
        names = {field.name for field in attrs.fields(RunFacts)} - {"folder"}
        known: dict[str, Any] = {"state": DAMAGED, **{name: facts[name] for name in names & facts.keys()}}
        return RunFacts(folder, **known)
    except JournalError as error:
        found = format_of(folder.database)
        state = DAMAGED if found in (0, FORMAT_VERSION) else OLDER if found < FORMAT_VERSION else NEWER
        return RunFacts(folder, state, error=str(error))
    except (sqlite3.Error, ValueError, TypeError) as error:
        return RunFacts(folder, DAMAGED, error=str(damage(folder.path, error.args[0])))
