"""Unpacks the reports of workers into values and failures on the driver."""

from __future__ import annotations

import linecache
import pickle
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from turgo.errors import TaskError, TaskTimeoutError, ValueNotPortableError
from turgo.flows.task import AnyTask
from turgo.records.ledger import Failure
from turgo.records.states import TaskState
from turgo.worker.code.bootstrap import Payload
from turgo.worker.outcomes import CallFailure, Report
from turgo.worker.values.pickles import open_packed

_FRAME = re.compile(r'(?P<indent>\s+)File "(?P<file>.+?)", line (?P<line>\d+)')


def open_report(report: Any) -> Report | BaseException:
    """The report of a batch, wherever it was executed; or why there is none.

    There is none if the batch could not be opened on its worker, or its values cannot be unpickled here.
    """
    if not isinstance(report, (bytes, Payload)):
        return report  # type: ignore[no-any-return]
    try:
        opened = open_packed(report)
        return opened if opened.stamp is not None else _error_from(opened.outcomes.error)
    except Exception as error:  # noqa: BLE001  (unpickling runs the code of others)
        return error


def report_bytes(report: Any) -> int:
    """Bytes of a report that came from another process; 0 for one of this process."""
    return report.__sizeof__() if isinstance(report, (bytes, Payload)) else 0


def home_bytes(report: Any) -> int:
    """Bytes that came home with a report; of one whose values stayed on the worker, those of its facts."""
    return report_bytes(report[0] if type(report) is tuple else report)


def failure_from(reported: CallFailure, task: AnyTask) -> Failure:
    """The failure of a call from the one that its worker reported."""
    state, error, text = reported
    if state == "TimedOut":
        limit = task.policy.timeout or 0.0
        return Failure(
            TaskState.TIMED_OUT,
            TaskTimeoutError(f"{task.name} took longer than {limit} s", seconds=limit),
            text,
        )
    return Failure(TaskState(state), _error_from(error), with_source(text))


def with_source(text: str) -> str:
    """The text of a traceback with the source lines that a worker without the files could not read."""
    lines = text.splitlines(keepends=True)
    filled = []
    for at, line in enumerate(lines):
        filled.append(line)
        frame = _FRAME.match(line)
        bare = frame and (at + 1 == len(lines) or not lines[at + 1].startswith(frame["indent"] + "  "))
        source = linecache.getline(frame["file"], int(frame["line"])).strip() if frame and bare else ""
        if frame and source:
            filled.append(f"{frame['indent']}  {source}\n")
    return "".join(filled)


def drop_locals(error: BaseException) -> None:
    """Clear the locals of the frames of an error, and of those that led to it; their lines stay."""
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


def _error_from(packed: Any) -> BaseException:
    if isinstance(packed, BaseException):
        return packed
    type_name, message, bases, blob = packed
    if blob is not None:
        with suppress(Exception):  # the class of the error may be one that only the worker has
            error = pickle.loads(blob)
            if isinstance(error, BaseException):
                return error
    if type_name == f"{ValueNotPortableError.__module__}.{ValueNotPortableError.__qualname__}":
        return ValueNotPortableError(message)
    return TaskError(message, type_name=type_name, bases=bases)
