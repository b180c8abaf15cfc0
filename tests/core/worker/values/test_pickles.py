"""Reports and values as bytes: what cannot be pickled is the failure of its own call, and is named."""

from __future__ import annotations

import threading
from array import array
from typing import Any

import pytest

from turgo.worker.code.bootstrap import Payload
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome, Outcome, Report
from turgo.worker.values.pickles import (
    LARGE_VALUE_BYTES,
    copied,
    culprit,
    message_of,
    open_packed,
    pack,
    pack_failure,
    payload_of,
)

STAMP: Any = ("worker", 0.0, 0.0)
LARGE = b"x" * LARGE_VALUE_BYTES


class Closed:
    """A value that cannot be pickled."""

    def __init__(self) -> None:
        self.parts = {"lock": [1, threading.Lock()]}


class Trap:
    """A value that can be pickled, and not unpickled."""

    def __reduce__(self) -> Any:
        return int, ("no number",)


class MuteError(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("mute")


class AttachedError(Exception):
    """An error with something that cannot be pickled."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 7
        self.lock = threading.Lock()


def outcome(value: Any) -> CallOutcome:
    return CallOutcome(value, None, 0.0, 1.0)


def there_and_back(*outcomes: Outcome) -> list[Any]:
    """The outcomes of a report that was packed and opened."""
    return list(open_packed(pack(Report(STAMP, list(outcomes), ()))).outcomes)


@pytest.mark.parametrize(
    "value", [1, "text", [1, {"a": (2, None)}], {1, 2}, bytearray(b"ab"), array("d", [1.0]), lambda: 3]
)
def test_a_value_is_what_it_was(value: Any) -> None:
    """Also a function that has no name to be found by."""
    (found,) = there_and_back(outcome(value))
    assert found.failure is None
    assert found.value == value or found.value() == value()


@pytest.mark.parametrize(
    ("value", "named"), [(Closed(), "it.parts['lock'][1] (a lock)"), (Trap(), "it (a Trap)")]
)
def test_a_value_that_cannot_travel_fails_its_own_call_alone(value: Any, named: str) -> None:
    """Whether it fails here or would fail at home. The message leads to the part."""
    first, odd, last = there_and_back(outcome(1), outcome(value), outcome([2]))
    assert (first.value, last.value) == (1, [2])
    name, message, *_ = odd.failure.error
    assert name == "turgo.errors.ValueNotPortableError" and f"{named} cannot be pickled" in message


def test_an_element_that_cannot_travel_fails_alone() -> None:
    """The others of its piece keep their values."""
    ends = array("d", [1.0, 2.0, 3.0])
    (found,) = there_and_back(MapOutcome([1, Trap(), 3], {}, 0.0, ends))
    assert found.values == [1, None, 3] and [*found.failures] == [1]


def test_a_call_that_was_not_executed_has_no_outcome() -> None:
    """As one after a failure, where a run fails fast."""
    first, none = there_and_back(outcome(1), None)
    assert first.value == 1 and none is None


def test_a_slim_report_is_sent_unless_one_fails() -> None:
    """It leaves out what nobody needs; who asks for the whole one has it if a value cannot travel."""
    slim = [None, outcome(2)]
    assert open_packed(pack(Report(STAMP, [outcome(1), outcome(2)], ()), slim)).outcomes[0] is None
    whole = open_packed(pack(Report(STAMP, [outcome(1), outcome(Trap())], ()), [None, outcome(Trap())]))
    assert whole.outcomes[0].value == 1 and whole.outcomes[1].failure is not None  # type: ignore[union-attr, index]


def test_an_error_that_cannot_be_pickled_whole_keeps_what_can() -> None:
    """It is of its class, with its message and the other attributes."""
    failure = CallFailure("Failed", AttachedError("broken"), "")
    (found,) = there_and_back(CallOutcome(None, failure, 0.0, 1.0))
    name, message, bases, packed = found.failure.error
    assert (
        name.endswith("test_pickles.AttachedError") and message == "broken" and "builtins.Exception" in bases
    )
    error = Payload(packed).open()
    assert type(error) is AttachedError and error.code == 7 and not hasattr(error, "lock")


def test_an_error_that_cannot_speak() -> None:
    """It is said why."""
    assert "RuntimeError('mute')" in message_of(MuteError())


def test_a_batch_that_could_not_be_opened_is_one_failure() -> None:
    """There is no stamp, as nothing began."""
    report = open_packed(pack_failure(CallFailure("Failed", ImportError("no module"), "trace")))
    assert report.stamp is None
    assert report.outcomes.error[:2] == ("builtins.ImportError", "no module")  # type: ignore[attr-defined]
    assert report.outcomes.traceback == "trace"  # type: ignore[attr-defined]


def test_a_large_array_is_no_part_of_the_pickle() -> None:
    """It lies beside it, as it is in memory; a small one does not."""
    numpy = pytest.importorskip("numpy")
    large = pack(Report(STAMP, [outcome(numpy.frombuffer(LARGE, "u1"))], ()))
    assert isinstance(large, Payload) and [memoryview(each).nbytes for each in large.buffers] == [len(LARGE)]
    assert len(large.blob) < LARGE_VALUE_BYTES
    assert isinstance(pack(Report(STAMP, [outcome(numpy.zeros(8))], ())), bytes)


def test_a_copy_is_what_another_process_would_get() -> None:
    """What cannot be copied is itself, and so is what stays here for its size."""
    value, lock = [[1]], threading.Lock()
    copy = copied(value)
    assert copy == value and copy[0] is not value[0]
    assert copied(lock) is lock
    stays = memoryview(LARGE)
    assert copied(stays, least=len(LARGE)) is stays


def test_what_cannot_be_sent_by_itself_says_why() -> None:
    """By the error of the pickling, or of the unpickling that would follow."""
    with pytest.raises(TypeError, match="lock"):
        payload_of(threading.Lock())
    with pytest.raises(ValueError, match="no number"):
        payload_of(Trap())


def test_a_culprit_is_looked_for_only_so_deep() -> None:
    """The path ends at the last part that was looked at."""
    value: Any = threading.Lock()
    for _ in range(6):
        value = [value]
    assert culprit(value) == "it[0][0][0][0] (a list)"
