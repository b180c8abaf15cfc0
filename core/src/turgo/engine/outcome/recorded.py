"""Says in words why a task run of an earlier process is as it is, from what its journal has of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from turgo.engine.outcome.columns import Record, opened, unkept_reason
from turgo.engine.outcome.explain import WITHOUT_CALL, Explanation
from turgo.errors import JournalError, TurgoError
from turgo.names import reason_of
from turgo.records.ledger import Key
from turgo.records.states import TaskState


class RecordedExplanation(Explanation):
    """What `FlowRun.explain` says, of a run that somebody else made.

    run: its id. ended_by: class and message of what ended it, if it did not succeed. killed: whether its driver was.
    """

    def __init__(self, record: Record, run: str, *, ended_by: str = "", killed: bool = False) -> None:
        self._run = run
        self.ledger = record.ledger
        self.guards = record.guards
        self.progress = self.recorded = None
        self.limits = None
        self.waiting = ()
        self.killed = killed
        self.unkept = record.unkept
        self._kept = record.structure
        self._ended_by = f": {ended_by}" if ended_by else ""

    def __call__(self, what: Any) -> str:
        """As an Explanation has it. Raises JournalError if what is known of the run was damaged."""
        try:
            return super().__call__(what)
        except TurgoError:
            raise
        except Exception as error:
            raise _damaged(self._run, error) from error

    def _reason(self, key: Key) -> str:
        text, state = super()._reason(key), self._state(key)
        if not state.finished:
            return f"{text}; the driver was killed before it was over" if self.killed else text
        if state is TaskState.SUCCESS and self._kept.triggers[key[0]] not in WITHOUT_CALL:
            return f"{text}{self._value(key)}"
        return text

    def _value(self, key: Key) -> str:
        """When a call that has a value began, and what became of that."""
        began = self.ledger.task_run(key).started
        when = "" if began is None else f", begun at {time.strftime('%F %T', time.localtime(began))}"
        why = unkept_reason(self.unkept, key)
        return f"{when}; its value is {f'not kept: {why}' if why else 'kept'}"

    def _next_try(self, key: Key) -> str:
        return "when its time has come"


def recorded_explanation(
    columns: Mapping[str, bytes], run: str, *, ended_by: str, killed: bool
) -> RecordedExplanation:
    """The explanation of a run by what its journal has. Raises JournalError if that is nothing, or was damaged."""
    if not columns:
        raise JournalError(f"nothing is known of the task runs of {run}: its driver was killed as it began")
    try:
        return RecordedExplanation(opened(columns), run, ended_by=ended_by, killed=killed)
    except Exception as error:
        raise _damaged(run, error) from error


def _damaged(run: str, error: Exception) -> JournalError:
    """The error for columns that were damaged, or that somebody has changed: they may be made of anything."""
    said = " ".join(reason_of(error).split())
    return JournalError(f"what the journal of {run} has of its task runs was damaged: {said}")
