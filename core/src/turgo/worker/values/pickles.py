"""Packs reports and values as bytes. So no executor's own pickling can fail on them.

A value or an error that cannot be pickled becomes the failure of its own call, and of no other. Where pickle fails,
cloudpickle is imported: each worker has it, as executors pickle with it.
"""

from __future__ import annotations

import io
import math
import pickle
import reprlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from turgo.worker.code.bootstrap import Payload, WorkerCode
from turgo.worker.code.modules import shipped_modules
from turgo.worker.code.places import by_place, place_of
from turgo.worker.outcomes import (
    UNCHANGING,
    CallFailure,
    CallOutcome,
    MapOutcome,
    Outcome,
    Report,
    outcomes_of,
    row_of,
)
from turgo.worker.values.errors import reduced

_PLAIN = UNCHANGING | {bytearray}

LARGE_VALUE_BYTES = 1 << 16
"""Bytes. The memory of an array that is at least so large is no part of the pickle."""


def large_buffers(into: list[Any]) -> Callable[[pickle.PickleBuffer], bool]:
    """A pickler's `buffer_callback` that puts the large buffers into a list, and leaves the others in the pickle."""

    def within(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE_VALUE_BYTES:
            return True
        into.append(raw)
        return False

    return within


def pack(
    report: Report, slim: Sequence[Outcome] | None = None, worker_code: WorkerCode | None = None
) -> bytes | Payload:
    """The report as bytes. A value or error that cannot be pickled becomes the failure of its own call.

    slim: the outcomes without values that are needed only if a call fails, to be sent unless one does.
    worker_code: of the payload that the batch came in.
    """
    outcomes = [_with_packed_errors(outcome) for outcome in report.outcomes]
    sent = (
        outcomes
        if slim is None or slim is report.outcomes
        else [_with_packed_errors(outcome) for outcome in slim]
    )
    try:
        payload = _packed(report, sent)
        if not all(map(_surely_sound, sent)):
            payload.open()  # what fails here would fail at home, and nobody could say whose value it was
    except Exception:
        payload = _packed(report, [_with_sound_values(outcome) for outcome in outcomes])
    payload.worker_code = worker_code
    return payload if payload.buffers else payload.blob


def _packed(report: Report, outcomes: Sequence[Outcome]) -> Payload:
    return _payload((report.stamp, [row_of(outcome) for outcome in outcomes], report.lines))


def pack_failure(failure: CallFailure) -> bytes:
    """A report that is nothing but the reason why the batch could not be opened."""
    return _dumps((None, tuple(_packed_failure(failure)), ()))


def open_packed(report: bytes | Payload) -> Report:
    """The report that was packed; `outcomes` is the failure where there is no stamp. Raises what unpickling raises."""
    stamp, rows, lines = report.open() if isinstance(report, Payload) else pickle.loads(report)
    return Report(stamp, CallFailure(*rows) if stamp is None else outcomes_of(rows), lines)


def payload_of(value: Any) -> Payload:
    """A value as it is sent by itself. Raises whatever keeps it from being pickled, or unpickled again."""
    payload = _payload(value)
    if not _plain(value):
        payload.open()
    return payload


def copied(value: Any, least: float = math.inf) -> Any:
    """A copy of a value, as another process would get it; the value itself if there is none.

    least: bytes of an array that is not copied, as it stays here.
    """
    try:
        size = getattr(value, "nbytes", 0)
        return value if isinstance(size, int) and size >= least else pickle.loads(_dumps(value))
    except Exception:
        return value


def _payload(value: Any) -> Payload:
    buffers: list[Any] = []
    blob = _dumps(value, large_buffers(buffers), buffers)
    return Payload(blob, *buffers)


class _Pickler(pickle.Pickler):
    keep: Callable[[Any], bool] | None = None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, BaseException):
            return reduced(obj, self.keep)
        return _by_place(obj)


def _by_place(obj: Any) -> Any:
    """How a sentinel of a shipped module is pickled."""
    place = place_of(obj, shipped_modules())
    return NotImplemented if place is None else by_place(obj, place)


def _dumps(
    value: Any,
    callback: Any = None,
    buffers: list[Any] | None = None,
    keep: Callable[[Any], bool] | None = None,
) -> bytes:
    """A pickle of a value, with the errors in it as they are; see `errors`."""
    try:
        return _written(_Pickler, value, callback, keep)
    except Exception:
        if buffers is not None:
            buffers.clear()
        return _written(_code_pickler(), value, callback, keep)


def _written(kind: Any, value: Any, callback: Any, keep: Callable[[Any], bool] | None) -> bytes:
    file = io.BytesIO()
    pickler = kind(file, protocol=5, buffer_callback=callback)
    pickler.keep = keep
    pickler.dump(value)
    return file.getvalue()


@lru_cache(maxsize=1)
def _code_pickler() -> Any:
    """A pickler that takes functions and classes of a flow by value."""
    import cloudpickle  # workers of every kind have it, but a batch without odd values can do without

    class CodePickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle carries no types
        keep: Callable[[Any], bool] | None = None

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, BaseException):
                return reduced(obj, self.keep)
            if isinstance(obj, type):
                return whole_class(obj, super().reducer_override(obj))
            found = _by_place(obj)
            return super().reducer_override(obj) if found is NotImplemented else found

    return CodePickler


def whole_class(cls: type, found: Any) -> Any:
    """How cloudpickle pickles a class by value, with its qualified name and its slots, which it leaves out."""
    if not isinstance(found, tuple) or getattr(found[0], "__name__", "") != "_make_skeleton_class":
        return found
    make, (meta, name, bases, body, *rest), *state = found
    body = {**body, "__qualname__": cls.__qualname__}
    if vars(cls).get("__slots__"):
        body["__slots__"] = vars(cls)["__slots__"]
    return make, (meta, name, bases, body, *rest), *state


def _travels(value: Any) -> bool:
    """Whether a part of an error can be pickled, and unpickled again."""
    try:
        _there_and_back(value)
    except Exception:
        return False
    return True


def _there_and_back(value: Any) -> None:
    """Raise whatever keeps the value from being pickled or unpickled."""
    pickle.loads(_dumps(value))


def _surely_sound(outcome: Outcome) -> bool:
    """Whether no value of an outcome can fail to be unpickled; most batches need no closer look."""
    if outcome is None:
        return True
    return _plain(outcome.values if isinstance(outcome, MapOutcome) else outcome.value)


def _plain(value: Any) -> bool:
    if type(value) in _PLAIN:
        return True
    if type(value) in (list, tuple, set):
        return _PLAIN.issuperset(map(type, value)) or all(map(_plain, value))
    if type(value) is dict:
        return all(map(_plain, value)) and all(map(_plain, value.values()))
    try:
        return memoryview(value).format != "O"  # an array of numbers, too large to be looked at twice
    except TypeError:
        return False


def _with_packed_errors(outcome: Outcome) -> Outcome:
    if isinstance(outcome, CallOutcome) and outcome.failure is not None:
        return outcome._replace(failure=_packed_failure(outcome.failure))
    if isinstance(outcome, MapOutcome) and outcome.failures:
        return outcome._replace(
            failures={at: each and _packed_failure(each) for at, each in outcome.failures.items()}
        )
    return outcome


def _packed_failure(failure: CallFailure) -> CallFailure:
    """The failure with its error packed: what its class is called, what it says, and its pickle if it has one."""
    error = failure.error
    name, *bases = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__]
    packed = None
    for keep in (None, _travels):  # what cannot be pickled is looked for only where something cannot
        with suppress(BaseException):  # whatever the error's own code raises: the failure says it already
            blob = _dumps(error, keep=keep)
            if _is_like(pickle.loads(blob), error):
                packed = blob
                break
    return failure._replace(error=(name, message_of(error), tuple(bases), packed))


def _is_like(copy: Any, error: BaseException) -> bool:
    """Whether an unpickled error is what it was: a constructor that is called with a made message makes another one."""
    if type(copy).__qualname__ != type(error).__qualname__ or type(copy).__module__ != type(error).__module__:
        return False
    return not _PLAIN.issuperset(map(type, error.args)) or message_of(copy) == message_of(error)


def message_of(error: BaseException) -> str:
    """What the error says; a task's error may be unable to say anything."""
    try:
        return str(error)
    except Exception as odd:
        return f"<its message cannot be shown: {odd!r}>"


def _with_sound_values(outcome: Outcome) -> Outcome:
    if isinstance(outcome, MapOutcome):
        found = ((offset, _problem_of(value)) for offset, value in enumerate(outcome.values or ()))
        problems = {offset: problem for offset, problem in found if problem is not None}
        values = [None if at in problems else value for at, value in enumerate(outcome.values or ())]
        return outcome._replace(values=values, failures={**outcome.failures, **problems})
    if outcome is None or outcome.failure is not None:
        return outcome
    problem = _problem_of(outcome.value)
    return outcome if problem is None else outcome._replace(value=None, failure=problem)


def _problem_of(value: Any) -> CallFailure | None:
    """The failure of a call whose value cannot be pickled, or None."""
    if _plain(value):
        return None
    try:
        _there_and_back(value)
    except Exception as error:
        message = f"the value {reprlib.repr(value)} cannot be sent back: {culprit(value)} cannot be pickled ({error})"
        return CallFailure("Failed", ("turgo.errors.ValueNotPortableError", message, (), None), "")
    return None


def culprit(value: Any, name: str = "it", depth: int = 4) -> str:
    """The innermost part of `value` that cannot be pickled, as a path: `it.connection.lock`."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = [(f"{name}[{key!r}]", item) for key, item in value.items()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = [(f"{name}[{at}]", item) for at, item in enumerate(value)]
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        parts = [(f"{name}.{key}", item) for key, item in vars(value).items()]
    for path, part in parts if depth else ():
        try:
            _there_and_back(part)
        except Exception:
            return culprit(part, path, depth - 1)
    return f"{name} (a {type(value).__name__})"
