"""Lines of logs: what is sent of a record, and the stream that sends them in bunches."""

import logging
import os
import pickle
import sys
import threading

from turgo.worker.batch import Batch
from turgo.worker.output import lines as module
from turgo.worker.output.lines import (
    HEAD,
    Line,
    LineStream,
    fields_of,
    is_begin,
    message_of_record,
    place_of,
    telling,
)


def line(number: int, text: str = "said") -> Line:
    """A line of a call."""
    return Line(number, 0, None, "logger", logging.INFO, text, 1.0, {})


class Sent:
    """Takes bunches. waits: whether it holds the first one until `go` is set."""

    def __init__(self) -> None:
        self.bunches: list[list[tuple[str, Line]]] = []
        self.changed = threading.Condition()
        self.go = threading.Event()
        self.go.set()

    def __call__(self, bunch: bytes) -> None:
        assert self.go.wait(20)
        found = [(name, Line(*row)) for name, row in pickle.loads(bunch[HEAD.size :])]
        assert HEAD.unpack_from(bunch) == (len(found),)
        with self.changed:
            self.bunches.append(found)
            self.changed.notify_all()

    def numbers(self) -> list[int]:
        """The numbers of all lines, in the order of their arrival."""
        return [each.number for bunch in self.bunches for _, each in bunch]

    def wait_for(self, count: int) -> list[int]:
        """Those numbers, once there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.numbers()) >= count, 20)
            return self.numbers()


def test_the_first_line_is_sent_at_once_and_the_others_in_a_bunch() -> None:
    """So that what a call said before it was killed has left its process; and all of them are sent, in order."""
    sent = Sent()
    stream = LineStream(sent)
    stream.add("batch", line(1))
    assert sent.numbers() == [1]
    for number in range(2, 10):
        stream.add("batch", line(number))
    assert sent.wait_for(9) == list(range(1, 10))
    assert len(sent.bunches) < 9 and sent.bunches[0][0][0] == "batch"


def test_flush_sends_what_waits() -> None:
    """At the end of a batch nothing is left behind."""
    sent = Sent()
    stream = LineStream(sent)
    for number in range(5):
        stream.add("batch", line(number))
    stream.flush()
    assert sent.numbers() == list(range(5))


def test_a_flood_waits_for_the_driver_and_loses_nothing(monkeypatch) -> None:
    """While the driver takes nothing, a call that logs more than a bunch is held."""
    monkeypatch.setattr(module, "BUNCH_LINES", 10)
    monkeypatch.setattr(module, "FLUSH_SECONDS", 0.01)
    sent = Sent()
    stream = LineStream(sent)
    added: list[int] = []

    def flood() -> None:
        for number in range(100):
            stream.add("batch", line(number))
            added.append(number)

    sent.go.clear()
    thread = threading.Thread(target=flood)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive() and len(added) <= 11
    sent.go.set()
    thread.join(20)
    stream.flush()
    assert sent.wait_for(100) == list(range(100))


def test_a_driver_that_is_gone_stops_no_call() -> None:
    """What cannot be sent is given up; the report has what is kept."""

    def fail(bunch: bytes) -> None:
        raise OSError("gone")

    stream = LineStream(fail)
    stream.add("batch", line(1))
    assert not stream.usable
    stream.add("batch", line(2))
    stream.flush()


def test_a_forked_process_does_not_use_the_stream_of_its_parent() -> None:
    """Two processes that write into one pipe would mix their bytes."""
    stream = LineStream(lambda bunch: None)
    pid = os.fork()
    if not pid:
        os._exit(0 if not stream.usable else 1)
    assert os.waitpid(pid, 0)[1] == 0 and stream.usable


def test_a_long_line_is_sent_in_part() -> None:
    """The whole of it is kept with its call."""
    sent = Sent()
    LineStream(sent).add("batch", line(1, "x" * (module.LINE_CHARACTERS + 5)))
    text = sent.bunches[0][0][1].text
    assert len(text) == module.LINE_CHARACTERS + 1 and text.endswith("…")


def record_with(**extra: object) -> logging.LogRecord:
    """A record of an error, with attributes of the user's."""
    try:
        raise ValueError("the cause")
    except ValueError:
        return logging.getLogger("x").makeRecord(
            "x", logging.ERROR, "file.py", 7, "%s items", (3,), sys.exc_info(), "function", dict(extra)
        )


def test_what_formatters_use_is_sent() -> None:
    """Where it was logged, by which thread, the traceback as text, and `extra`."""
    made = record_with(user="me", items=[1, 2])
    fields = pickle.loads(pickle.dumps(fields_of(made)))
    assert (fields["lineno"], fields["funcName"], fields["pathname"]) == (7, "function", "file.py")
    assert fields["exc_text"].endswith("ValueError: the cause")
    assert (fields["user"], fields["items"]) == ("me", [1, 2])
    assert message_of_record(made) == "3 items"
    assert {"exc_info", "args", "msg"}.isdisjoint(fields)


def test_what_the_driver_may_not_know_is_sent_as_text() -> None:
    """A lock, an object of the user's class, and one whose repr fails; none of them stops the line."""

    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    fields = fields_of(record_with(lock=threading.Lock(), held=[threading.Lock()], odd=Odd()))
    assert "lock" in fields["lock"] and "lock" in fields["held"]
    assert fields["odd"] == "<Odd, whose repr failed: RuntimeError>"


def test_a_message_that_does_not_fit_its_arguments_is_sent_as_written() -> None:
    """A mistake in a log line stops no task."""
    made = logging.getLogger("x").makeRecord("x", logging.INFO, "f", 1, "%d items", ("no",), None)
    assert message_of_record(made) == "%d items"


def test_a_call_that_tells_says_that_it_begins_before_it_does() -> None:
    """By the surest way that there is, and whether or not anybody hears of it; a bunch of lines looks otherwise."""
    said: list[bytes] = []

    def send(data: bytes) -> None:
        raise AssertionError("this may be lost")

    send.surely = said.append  # type: ignore[attr-defined]
    batch = Batch([], {})
    batch.name = "batch"
    told = telling(batch, lambda *args, **kwargs: (len(said), args, kwargs), send)
    assert told(1, b=2) == (1, (1,), {"b": 2})
    assert is_begin(said[0]) and place_of(said[0]) == ("batch", 0, None)
    del send.surely  # type: ignore[attr-defined]
    assert telling(batch, len, send)("abc") == 3
    sent: list[bytes] = []
    LineStream(sent.append).add("batch", line(1))
    assert not is_begin(sent[0])
