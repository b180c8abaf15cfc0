"""Unpacking: what workers told, as `portable` packed it, made into values and failures again on the driver."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from penstock.engine.carried import Parcel
from penstock.errors import TaskError, TaskTimeoutError, ValueNotPortableError
from penstock.flows.task import AnyTask
from penstock.ledger import Failure
from penstock.states import TaskState


def open_report(report: Any) -> tuple[Any, Any, Any] | BaseException:
    """The report of a batch as `work.execute` made it, wherever it ran; or why there is none.

    There is none if the batch could not be opened where it was to run, or its values cannot be unpickled here.
    """
    if not isinstance(report, (bytes, Parcel)):
        return report  # type: ignore[no-any-return]
    try:
        stamp, outcomes, lines = report.open() if isinstance(report, Parcel) else pickle.loads(report)
    except Exception as error:  # noqa: BLE001  (unpickling runs the code of others)
        return error
    return (stamp, outcomes, lines) if stamp is not None else _error_from(outcomes[1])


def failure_from(told: tuple[str, Any, str], task: AnyTask, *, whole: bool = True) -> Failure:
    """The failure of a call from what the worker told of it.

    whole: whether an error that came from another process keeps its traceback, if it has brought one.
    """
    state, error, text = told
    if state == "TimedOut":
        limit = task.policy.timeout or 0.0
        return Failure(
            TaskState.TIMED_OUT,
            TaskTimeoutError(f"{task.name} took longer than {limit} s", seconds=limit),
            text,
        )
    return Failure(TaskState(state), _error_from(error, whole), text)


def drop_locals(error: BaseException) -> None:
    """Let go of what the frames of an error, and of those that led to it, hold; their lines can still be told."""
    for each in _chain(error):
        traceback.clear_frames(each.__traceback__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    ahead: list[BaseException | None] = [error]
    seen: set[int] = set()
    while ahead:
        each = ahead.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            ahead += [each.__cause__, each.__context__]


def _error_from(packed: Any, whole: bool = False) -> BaseException:
    if isinstance(packed, BaseException):
        return packed
    if isinstance(packed[0], bytes):
        blob, *packed = packed
        with suppress(Exception):  # its class may be one that only the worker has
            return (
                _apart(blob) if whole else _without_tracebacks(pickle.loads(blob))
            )  # only errors are packed so
    type_name, message, *bases = packed
    if type_name == f"{ValueNotPortableError.__module__}.{ValueNotPortableError.__qualname__}":
        return ValueNotPortableError(message)
    return TaskError(message, type_name=type_name, bases=bases)


def _without_tracebacks(error: BaseException) -> BaseException:
    for each in _chain(error):
        each.__traceback__ = None
    return error


def _apart(blob: bytes) -> BaseException:
    """Unpickled in a thread of its own: a traceback that tblib makes holds the frames above it, and so the run."""
    with ThreadPoolExecutor(1) as thread:
        error: BaseException = thread.submit(pickle.loads, blob).result()
    return error
