"""What is told of a task run that failed. It is texts and numbers alone, so that it can be written down."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from turgo.records.task_run import TaskRun
from turgo.worker.values.pickles import message_of


class FailureFacts(NamedTuple):
    """One failure.

    label, task, title, state, worker: as a TaskRun has them; attempts: how many it made.
    error: class and message of the last one; traceback: its text, the error alone if it has no frames.
    log: what it logged, in lines. replayable: whether its arguments are in the journal of the run.
    """

    label: str
    task: str
    title: str
    state: str
    attempts: int
    worker: str
    error: str
    traceback: str
    log: str
    replayable: bool


def facts_of(failed: TaskRun) -> FailureFacts:
    """What is told of a task run."""
    error, text = "", failed.traceback
    if failed.error is not None:
        error = f"{type(failed.error).__name__}: {message_of(failed.error)}"
        text = text or "".join(traceback.format_exception(failed.error))
    return FailureFacts(
        label=failed.label,
        task=failed.name,
        title=failed.title,
        state=str(failed.state),
        attempts=len(failed.attempts),
        worker=failed.worker or "",
        error=error,
        traceback=text,
        log="\n".join(line.message for line in failed.logs),
        replayable=failed.replayable,
    )
