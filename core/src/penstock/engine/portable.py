"""What a worker sends home: bytes, so that no executor's own pickling can fail on them.

A value or an error that cannot be pickled becomes the failure of its own call, and of no other. Needs nothing but the
standard library, and cloudpickle for values that pickle cannot take; see `work`.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import reprlib
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from penstock.engine.carried import Carrier, Parcel

_PLAIN = frozenset({int, float, complex, bool, str, bytes, bytearray, type(None)})

_OF_UNICODE = (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError)
_TOLD_SHORT = (SystemExit, StopIteration, SyntaxError, IndentationError, TabError, *_OF_UNICODE)


def _as_it_says(error: BaseException) -> Any:
    return error.__reduce_ex__(pickle.DEFAULT_PROTOCOL)


FAITHFUL = MappingProxyType(dict.fromkeys(_TOLD_SHORT, _as_it_says))
"""How errors are pickled that hold more than their arguments. The reducer that tblib registers for all errors, where
something has installed it, makes them again without their message, code or value."""

LARGE = 1 << 16
"""Bytes. The memory of an array that is at least so large is no part of the pickle."""


def large_buffers(into: list[Any]) -> Callable[[pickle.PickleBuffer], bool]:
    """A pickler's `buffer_callback` that puts the large buffers into a list, and leaves the others in the pickle."""

    def within(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < LARGE:
            return True
        into.append(raw)
        return False

    return within


def pack(report: Any, slim: list[Any] | None = None, carrier: Carrier | None = None) -> bytes | Parcel:
    """The report as bytes. A value or error that cannot be pickled becomes the failure of its own call.

    slim: the outcomes without values that are needed only if a call fails, to be sent unless one does. carrier: of the
    parcel that the batch came in.
    """
    stamp, made, lines = report
    outcomes = [_with_packed_errors(outcome) for outcome in made]
    sent = outcomes if slim is None or slim is made else [_with_packed_errors(outcome) for outcome in slim]
    try:
        parcel = _parcel((stamp, sent, lines))
        if not all(_surely_sound(outcome) for outcome in sent):
            parcel.open()  # what fails here would fail at home, and nobody could say whose value it was
    except Exception:
        parcel = _parcel((stamp, [_with_sound_values(outcome) for outcome in outcomes], lines))
    parcel.carrier = carrier
    return parcel if parcel.buffers else parcel.blob


def pack_error(failure: tuple[str, BaseException, str]) -> bytes:
    """A report that is nothing but the reason why the batch could not be opened."""
    return _dumps((None, _packed_error(failure), ()))


def parcel_of(value: Any) -> Parcel:
    """A value as it travels by itself. Raises whatever keeps it from being pickled, or unpickled again."""
    parcel = _parcel(value)
    if not _plain(value):
        parcel.open()
    return parcel


def _parcel(value: Any) -> Parcel:
    buffers: list[Any] = []
    blob = _dumps(value, large_buffers(buffers), buffers)
    return Parcel(blob, *buffers)


def _dumps(value: Any, callback: Any = None, buffers: list[Any] | None = None) -> bytes:
    try:
        if BaseException not in copyreg.dispatch_table:
            return pickle.dumps(value, protocol=5, buffer_callback=callback)
        file = io.BytesIO()
        pickler = pickle.Pickler(file, protocol=5, buffer_callback=callback)
        pickler.dispatch_table = {**copyreg.dispatch_table, **FAITHFUL}
        pickler.dump(value)
        return file.getvalue()
    except Exception:
        import cloudpickle  # workers of every kind have it, but a batch without odd values can do without

        if buffers is not None:
            buffers.clear()
        return cloudpickle.dumps(value, protocol=5, buffer_callback=callback)  # type: ignore[no-any-return]


def _there_and_back(value: Any) -> None:
    """Raise whatever keeps the value from being pickled or unpickled."""
    pickle.loads(_dumps(value))


def _surely_sound(outcome: Any) -> bool:
    """Whether no value of an outcome can fail to be unpickled; most batches need no closer look."""
    return outcome is None or outcome[0] is False or _plain(outcome[1])


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


def _with_packed_errors(outcome: Any) -> Any:
    if outcome is None:
        return None
    if len(outcome) == 4 and outcome[0] is False:
        return (False, _packed_error(outcome[1]), *outcome[2:])
    if outcome[0] is not True and outcome[3]:
        failures = {at: failure and _packed_error(failure) for at, failure in outcome[3].items()}
        return (*outcome[:3], failures)
    return outcome


def _packed_error(failure: tuple[str, BaseException, str]) -> tuple[str, Any, str]:
    """The name of the error's type, its message and the type's bases; before them its pickle, if that is truthful."""
    state, error, text = failure
    name, *bases = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__]
    facts = (name, message_of(error), *bases)
    try:
        blob = _dumps(error)
        if _is_like(pickle.loads(blob), error):
            return (state, (blob, *facts), text)
    except BaseException:  # whatever the error's own code raises: it has been told of already
        if error.__traceback__ is not None:  # tblib pickles it too, and a long one is too deep for that
            return _packed_error((state, error.with_traceback(None), text))
    return (state, facts, text)


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


def _with_sound_values(outcome: Any) -> Any:
    if outcome is None or outcome[0] is False:
        return outcome
    if outcome[0] is True:
        problem = _problem_of(outcome[1])
        return outcome if problem is None else (False, problem, *outcome[2:])
    began, values, ends, failures = outcome
    for offset, value in enumerate(values):
        problem = _problem_of(value)
        if problem is not None:
            failures[offset] = problem
            values[offset] = None
    return (began, values, ends, failures)


def _problem_of(value: Any) -> Any:
    """The failure of a call whose value cannot be pickled, or None."""
    if _plain(value):
        return None
    try:
        _there_and_back(value)
    except Exception as error:
        message = f"the value {reprlib.repr(value)} cannot be sent back: {culprit(value)} cannot be pickled ({error})"
        return ("Failed", ("penstock.errors.ValueNotPortableError", message), "")
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
