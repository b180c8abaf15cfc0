"""Shipping: batches and reports between processes, by any pickler."""

import copyreg
import logging
import pickle
import threading

import pytest

from turgo import task
from turgo.engine.transport.functions import Calls
from turgo.engine.transport.report import failure_from, open_report
from turgo.engine.transport.shipment import Shipment
from turgo.errors import TaskError, TaskTimeoutError, ValueNotPortableError
from turgo.flows.graph import Node
from turgo.records.states import TaskState
from turgo.worker.arguments import CONSTANTS, RESULTS
from turgo.worker.batch import BatchPiece
from turgo.worker.code.bootstrap import Payload
from turgo.worker.execute import execute
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome, Report
from turgo.worker.output.lines import Line
from turgo.worker.values.pickles import culprit, pack


class Holder:
    def __init__(self, **parts):
        self.__dict__.update(parts)


class OneWay:
    def __reduce__(self):
        return (int, ("no number",))


LOADS = []


class Watched:
    """Tells when it is unpickled."""

    def __reduce__(self):
        return (_loaded, ())


def _loaded():
    LOADS.append(1)


STAMP = ("w", 0.0, 0.0)


def well(value):
    """The outcome of a call that returned a value."""
    return CallOutcome(value, None, 0.0, 1.0)


class OddError(Exception):
    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")


class MuteError(Exception):
    def __init__(self):
        self.lock = threading.Lock()

    def __str__(self):
        raise RuntimeError("no words")


def _made_again(cls, args):
    error = cls.__new__(cls)
    error.args = args
    return error


def shipped(fn, *args, values=(), plan=CONSTANTS):
    """The outcome of one call that crosses to another process and back, as it is in the driver."""
    made = task(name="made")(fn)
    node = Node(0, made, plan, args, {}, args if plan == RESULTS else ())
    calls = Calls()
    shipment = Shipment([BatchPiece(node, calls.here[made], -1, -1, None)], {}, values, calls)
    payload = pickle.loads(pickle.dumps(shipment))
    _, (outcome,), lines = open_report(execute(payload))
    return made, outcome, lines


def error_of(fn, *args):
    made, outcome, _ = shipped(fn, *args)
    return failure_from(outcome.failure, made)


def test_lambdas_closures_and_values_of_other_nodes_cross():
    """The function by value, the arguments with it."""
    offset = 10
    _, outcome, _ = shipped(lambda a, b: a + b + offset, 7, 8, values={7: 1, 8: 2}, plan=RESULTS)
    assert outcome.value == 13


def test_errors_keep_type_message_and_traceback():
    """The frames are told as text."""

    def broken():
        raise KeyError("key")

    failure = error_of(broken)
    assert (
        failure.state is TaskState.FAILED
        and type(failure.error) is KeyError
        and failure.error.args == ("key",)
    )
    assert "in broken" in failure.traceback and failure.traceback.endswith("KeyError: 'key'\n")


def test_errors_come_home_where_a_library_pickles_all_errors_its_own_way(monkeypatch):
    """As tblib does, which dask imports: with a traceback that can be too long, and without what is no argument."""

    def reduced(error):
        if error.__traceback__ is not None:
            raise RecursionError("the traceback is too long")
        return _made_again, (type(error), error.args)

    for cls in (BaseException, ValueError, SystemExit, UnicodeDecodeError):
        monkeypatch.setitem(copyreg.dispatch_table, cls, reduced)

    def raises(error):
        raise error

    assert error_of(raises, SystemExit(3)).error.code == 3
    assert "invalid start byte" in str(error_of(bytes.decode, b"\xff").error)
    assert type(error_of(raises, ValueError("deep")).error) is ValueError
    _, (value, *_), _ = shipped(
        lambda error: (str(error), error), UnicodeDecodeError("utf8", b"x", 0, 1, "odd")
    )
    assert value[0] == str(value[1]) == "'utf8' codec can't decode byte 0x78 in position 0: odd"


def test_errors_come_home_whatever_their_constructor_takes():
    """It is not called again; attributes, notes, cause and the members of a group are there."""

    def broken():
        error = OddError(3, "odd")
        error.add_note("a note")
        error.number = 7
        raise ExceptionGroup("two", [error, KeyError("key")]) from ValueError("cause")

    group = error_of(broken).error
    one, other = group.exceptions
    assert (type(one), str(one), one.number, one.__notes__) == (OddError, "3: odd", 7, ["a note"])
    assert other.args == ("key",) and str(group.__cause__) == "cause"


def test_what_cannot_be_pickled_is_left_out_of_an_error_and_named():
    """The rest of the error is as it was."""

    def broken():
        raise MuteError

    error = error_of(broken).error
    assert type(error) is MuteError and not hasattr(error, "lock")
    assert error.__notes__ == ["left out, as it cannot be pickled: lock (a lock)"]


def test_an_error_whose_class_cannot_travel_comes_as_a_stand_in():
    """With the name of its type, and its message."""

    class LockedError(Exception):
        lock = threading.Lock()

    outcome = CallOutcome(None, CallFailure("Failed", LockedError("odd"), ""), 0.0, 1.0)
    _, (packed,), _ = open_report(pack(Report(STAMP, [outcome], [])))
    failure = failure_from(packed.failure, task(name="made")(len))
    assert type(failure.error) is TaskError and str(failure.error).endswith("LockedError: odd")


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (lambda: Holder(a=1, lock=threading.Lock()), "it.lock"),
        (lambda: {"k": [1, Holder(deep=Holder(lock=threading.Lock()))]}, "it['k'][1].deep.lock"),
        (lambda: (1, OneWay()), "it[1] (a OneWay)"),
    ],
)
def test_a_value_that_cannot_travel_names_its_culprit(value, place):
    """The innermost part that cannot be pickled, or be unpickled."""
    failure = error_of(value)
    assert type(failure.error) is ValueNotPortableError and place in str(failure.error)
    assert place.partition(" (")[0] in culprit(value())


def test_one_bad_value_among_many_harms_no_other():
    """Of a map, in the same report."""
    report = Report(STAMP, [MapOutcome([1, threading.Lock(), OneWay(), 4], {}, 0.0, [1.0] * 4)], [])
    _, ((values, failures, _, _),), _ = open_report(pack(report))
    assert values == [1, None, None, 4] and sorted(failures) == [1, 2]


def test_an_argument_that_cannot_be_pickled_is_named_with_its_task():
    """When the shipment is pickled, by whatever pickler."""
    with pytest.raises(
        ValueNotPortableError, match=r"argument obj\.lock \(a lock\) of made cannot be pickled: "
    ):
        shipped(len, Holder(lock=threading.Lock()))


def test_a_function_that_cannot_be_pickled_is_named():
    """Its closure holds a lock."""
    lock = threading.Lock()
    with pytest.raises(ValueNotPortableError, match="the function of made cannot be sent"):
        shipped(lambda: lock.locked())


def test_a_function_is_pickled_once_for_a_run():
    """However many batches it is in."""
    pickled = []

    class Fn:
        __name__ = "fn"

        def __call__(self):
            return 1

        def __reduce__(self):
            pickled.append(1)
            return (Fn, ())

    made = task(Fn())
    calls = Calls()
    for _ in range(3):
        pickle.dumps(
            Shipment([BatchPiece(Node(0, made, CONSTANTS, (), {}, ()), made.fn, -1, -1, None)], {}, (), calls)
        )
    assert pickled == [1]


def test_a_timeout_is_told_with_its_limit():
    """The error is a TimeoutError too."""
    failure = failure_from(CallFailure("TimedOut", None, ""), task(name="slow", timeout=1.5)(len))
    assert failure.state is TaskState.TIMED_OUT
    assert isinstance(failure.error, TaskTimeoutError) and isinstance(failure.error, TimeoutError)
    assert failure.error.seconds == 1.5 and "slow" in str(failure.error)


def test_logs_cross_with_the_report():
    """With logger, level and text."""
    _, _, lines = shipped(lambda: logging.getLogger("there").error("said"))
    (line,) = (Line(*row) for row in lines)
    assert (line.number, line.at, line.offset) == (1, 0, None)
    assert (line.logger, line.level, line.text) == ("there", logging.ERROR, "said")
    assert line.fields is None  # the driver is this very process, whose handlers have had it


def test_numbers_strings_and_arrays_are_not_unpickled_twice():
    """Only values of a user's own classes are looked at before they are sent."""
    np = pytest.importorskip("numpy")
    LOADS.clear()
    pack(Report(STAMP, [well({"a": [1, "x", (None, 2.0)]}), well(np.zeros(10))], []))
    assert LOADS == []
    pack(Report(STAMP, [well(Watched())], []))
    assert LOADS == [1]


def test_a_payload_that_cannot_be_opened_is_told_and_not_raised():
    """A module that is missing on the worker: the report is the error alone."""
    error = open_report(execute(Payload(b"no pickle")))
    assert isinstance(error, pickle.UnpicklingError)


def test_values_that_were_used_up_in_the_batch_stay_away_unless_a_call_fails():
    """A call that is tried again needs what it was given."""
    inner, none, good, bad = well("inner"), well(None), well(1), well(threading.Lock())
    _, outcomes, _ = open_report(pack(Report(STAMP, [inner, good], []), slim=[none, good]))
    assert outcomes == [none, good]
    _, outcomes, _ = open_report(pack(Report(STAMP, [inner, bad], []), slim=[none, bad]))
    assert outcomes[0] == inner and outcomes[1].failure is not None


@pytest.mark.parametrize("protocol", [4, 5])
def test_large_arrays_lie_beside_the_pickle(protocol):
    """A pickler that takes buffers out of band gets their memory as it is; any other brings the same values over."""
    np = pytest.importorskip("numpy")
    large, small = np.arange(2.0**17), np.arange(3)
    report = pack(Report(STAMP, [well([large, small])], []))
    buffers = [] if protocol == 5 else None
    add = None if buffers is None else buffers.append
    sent = pickle.dumps(report, protocol=protocol, buffer_callback=add)
    if buffers is not None:
        assert np.shares_memory(np.frombuffer(buffers[0]), large) and len(sent) < 2000
    _, (((one, other), *_),), _ = open_report(pickle.loads(sent, buffers=buffers))
    assert (one == large).all() and one.flags.writeable and other.tolist() == [0, 1, 2]


def test_the_arguments_of_a_batch_lie_beside_it_too():
    """Nothing of a large array is in the pickle, and the task on the other side sees it whole."""
    np = pytest.importorskip("numpy")
    made, large, buffers = task(name="made")(lambda array: float(array.sum())), np.ones(2**17), []
    calls = Calls()
    shipment = Shipment(
        [BatchPiece(Node(0, made, RESULTS, (7,), {}, (7,)), None, -1, -1, None)], {7: large}, (), calls
    )
    sent = pickle.dumps(shipment, protocol=5, buffer_callback=buffers.append)
    assert len(sent) < 20_000 and np.shares_memory(np.frombuffer(buffers[0]), large)
    _, (outcome,), _ = open_report(execute(pickle.loads(sent, buffers=buffers)))
    assert outcome.value == 2.0**17
