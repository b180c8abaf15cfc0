"""The codes of the states in the columns, as the engine uses them."""

from __future__ import annotations

from penstock.states import CODE, STATES, TaskState

PENDING, RUNNING, RETRYING, SUCCESS = (
    CODE[state] for state in (TaskState.PENDING, TaskState.RUNNING, TaskState.RETRYING, TaskState.SUCCESS)
)
SKIPPED, CANCELLED, CACHED = (
    CODE[state] for state in (TaskState.SKIPPED, TaskState.CANCELLED, TaskState.CACHED)
)
OVER = frozenset(code for code, state in enumerate(STATES) if state.finished)
FAILED = frozenset(code for code, state in enumerate(STATES) if state.failed)
