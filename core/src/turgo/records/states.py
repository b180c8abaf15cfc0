"""The states of task runs and flow runs. Codes stand for them in columns."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """The state of a task run."""

    PENDING = "Pending"
    RUNNING = "Running"
    RETRYING = "Retrying"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CRASHED = "Crashed"
    TRIGGER_FAILED = "TriggerFailed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"
    CACHED = "Cached"

    @property
    def finished(self) -> bool:
        """Whether the task run is over."""
        return self not in (TaskState.PENDING, TaskState.RUNNING, TaskState.RETRYING)

    @property
    def failed(self) -> bool:
        """Whether it is over without having done its work, and not on purpose."""
        return self in _FAILURES


_FAILURES = frozenset(
    {TaskState.FAILED, TaskState.TIMED_OUT, TaskState.CRASHED, TaskState.TRIGGER_FAILED, TaskState.CANCELLED}
)

STATES: tuple[TaskState, ...] = tuple(TaskState)
"""The states in the order of the codes that the columns hold."""

CODE: dict[TaskState, int] = {state: code for code, state in enumerate(STATES)}
"""The code of each state in the columns."""

PENDING = CODE[TaskState.PENDING]
RUNNING = CODE[TaskState.RUNNING]
RETRYING = CODE[TaskState.RETRYING]
SUCCESS = CODE[TaskState.SUCCESS]
SKIPPED = CODE[TaskState.SKIPPED]
CANCELLED = CODE[TaskState.CANCELLED]
CACHED = CODE[TaskState.CACHED]
PRESENT = (SUCCESS, CACHED)
"""Those of what has a value."""

OVER = frozenset(code for code, state in enumerate(STATES) if state.finished)
FAILED = frozenset(code for code, state in enumerate(STATES) if state.failed)


class RunState(StrEnum):
    """The state of a flow run."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCESS = "Success"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
