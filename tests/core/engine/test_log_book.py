"""The log book: a line is handled and kept once, whether it comes while its call runs, in the report, or both."""

import logging
import pickle
import threading
import time
from collections.abc import Iterator

import pytest

from turgo import flow, task
from turgo.engine import log_book
from turgo.engine.log_book import LogBook
from turgo.engine.schedule.progress import Progress
from turgo.records.ledger import Ledger
from turgo.worker.output.lines import HEAD, NO_LINES, Line

PIECES = [(0, -1, -1), (1, 10, 20)]
"""A single call of node 0, and elements 10 to 19 of node 1."""


class Handler(logging.Handler):
    """Keeps the records that it gets; waits for `go` before each."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.go = threading.Event()
        self.go.set()

    def emit(self, record: logging.LogRecord) -> None:
        assert self.go.wait(20)
        self.records.append(record)

    @property
    def texts(self) -> list[str]:
        return [record.getMessage() for record in self.records]


@pytest.fixture
def handler() -> Iterator[Handler]:
    """On the logger of the lines, at INFO."""
    logger, made = logging.getLogger("test_log_book"), Handler()
    logger.addHandler(made)
    logger.setLevel(logging.INFO)
    yield made
    made.go.set()
    logger.removeHandler(made)
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def progress() -> Progress:
    """Of a flow of one call and one map."""
    step = task(lambda value: value, name="step")
    graph = flow(lambda: [step(1), step.map(range(30))]).record()
    return Progress(graph, Ledger(["step", "step"], [None, None]))


def line(number: int, text: str, at: int = 0, offset: int | None = None, level: int = logging.INFO) -> Line:
    """A line that came from another process."""
    return Line(number, at, offset, "test_log_book", level, text, 1000.25, {"lineno": 7, "worker": "w"})


def bunch(name: str, *lines: Line) -> bytes:
    """As a worker sends it."""
    return HEAD.pack(len(lines)) + pickle.dumps([(name, tuple(each)) for each in lines])


def kept(progress: Progress, key: tuple[int, int | None] = (0, None)) -> list[str]:
    """The texts that the ledger has of a call."""
    return [each.message for each in progress.ledger.logs.get(key, [])]


def test_a_line_that_comes_twice_is_handled_and_kept_once(progress: Progress, handler: Handler) -> None:
    """The report brings what the stream has not, and what the stream brings late is dropped."""
    book = LogBook(progress, "run")
    name = book.open(PIECES)
    book.deliver(bunch(name, line(1, "one"), line(2, "two")))
    book.close()
    book.reported(name, PIECES, [line(1, "one"), line(2, "two"), line(3, "three")], handle=True)
    assert handler.texts == ["one", "two", "three"] == kept(progress)
    late = LogBook(progress, "late")
    name = late.open(PIECES)
    late.reported(name, PIECES, [line(1, "four")], handle=True)
    late.deliver(bunch(name, line(1, "four"), line(2, "five")))
    late.close()
    assert handler.texts[3:] == ["four", "five"]


def test_a_record_is_as_if_it_had_been_made_here(progress: Progress, handler: Handler) -> None:
    """With its time, its place and its task run; elements count from the first of their piece."""
    book = LogBook(progress, "run")
    book.deliver(bunch(book.open(PIECES), line(1, "said", at=1, offset=3)))
    book.close()
    (record,) = handler.records
    facts = (record.created, record.msecs, record.lineno, record.levelname)
    assert facts == (1000.25, 250.0, 7, "INFO")
    assert vars(record)["task"] == "step" and vars(record)["task_index"] == 13
    assert logging.Formatter("%(task_title)s").format(record).startswith("step[13]")
    assert vars(record)["worker"] == "w"
    assert kept(progress, (1, 13)) == ["said"]


def test_what_the_driver_does_not_want_is_kept_and_not_handled(progress: Progress, handler: Handler) -> None:
    """As prints where INFO is not wanted; and lines that were handled elsewhere."""
    book = LogBook(progress, "run")
    name = book.open(PIECES)
    book.deliver(bunch(name, line(1, "quiet", level=logging.DEBUG)))
    book.close()
    book.reported(name, PIECES, [line(2, "handled")], handle=False)
    assert handler.texts == [] and kept(progress) == ["quiet", "handled"]


def test_a_line_of_a_call_that_is_over_is_handled_and_kept_with_none(
    progress: Progress, handler: Handler
) -> None:
    """Nobody knows whose it is."""
    book = LogBook(progress, "run")
    book.deliver(bunch(book.open(PIECES), line(1, "late", at=-1)))
    book.close()
    assert handler.texts == ["late"] and not progress.ledger.logs


def test_lines_of_another_run_are_none_of_this_one(progress: Progress, handler: Handler) -> None:
    """Two runs may share an executor, and its channel brings both what either is sent."""
    book = LogBook(progress, "run")
    book.open(PIECES)
    book.deliver(bunch("other/1", line(1, "foreign")))
    book.close()
    assert handler.texts == [] and not progress.ledger.logs


def test_handlers_that_are_too_slow_lose_counted_lines(
    progress: Progress, handler: Handler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What waits for them is bounded, and whoever delivers does not wait."""
    handler.go.clear()
    book = LogBook(progress, "run")
    name = book.open(PIECES)
    first = bunch(name, line(1, "first"))
    monkeypatch.setattr(log_book, "QUEUE_BYTES", 2 * len(first))
    for number in range(1, 101):
        book.deliver(bunch(name, line(number, f"line {number}")))
    handler.go.set()
    with caplog.at_level(logging.WARNING, "turgo"):
        book.close()
    handled = len(handler.texts)
    assert 0 < handled < 100
    assert f"{100 - handled} lines of tasks did not reach the handlers" in caplog.text


def test_of_each_call_so_many_lines_are_kept(
    progress: Progress, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handlers get all of them; the note of how many more there were is kept besides."""
    monkeypatch.setattr(log_book, "TASK_LOG_LINES", 3)
    book = LogBook(progress, "run")
    name = book.open(PIECES)
    book.deliver(bunch(name, *(line(number, str(number)) for number in range(1, 6))))
    book.close()
    book.reported(name, PIECES, [line(-1, "2 more line(s)")], handle=False)
    assert kept(progress) == ["1", "2", "3", "2 more line(s)"]
    assert handler.texts == ["1", "2", "3", "4", "5"]


def test_which_call_of_a_batch_began_last_is_known_at_once(progress: Progress) -> None:
    """From what the batch tells, and of no other batch."""
    book = LogBook(progress, "run")
    name, other = book.open(PIECES), book.open(PIECES)
    assert book.begun(name).last is None
    for place, key in (((0, None), (0, None)), ((1, 0), (1, 10)), ((1, 7), (1, 17))):
        book.deliver(NO_LINES + pickle.dumps((name, *place)))
        assert book.begun(name).last == key
    book.deliver(NO_LINES + pickle.dumps(("of another run", 0, None)))
    assert book.begun(other).last is None


def test_what_is_no_line_is_told_of_once_and_ends_nothing(
    progress: Progress, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes of anybody's, rows of other types, a call that is not in the batch: the lines after them are handled."""
    book = LogBook(progress, "run")
    name = book.open(PIECES)
    for odd in (b"", b"\0", HEAD.pack(1) + b"no pickle", NO_LINES + b"no pickle", NO_LINES + pickle.dumps(5)):
        book.deliver(odd)
    for fields in (
        5,
        (1, 2),
        (1, 0, None, "a", "high", "text", 1.0, None),
        (1, 7, None, "a", 20, "text", 1.0, None),
    ):
        book.deliver(HEAD.pack(1) + pickle.dumps([(name, fields)]))
    book.deliver(bunch(name, line(1, "good")))
    book.close()
    book.reported(name, PIECES, [line(2, "well", at=9), line(3, "better")], handle=True)
    assert handler.texts == ["good", "better"] == kept(progress)
    told = [each.getMessage() for each in caplog.records if each.name == "turgo"]
    assert len(told) == 1 and told[0].startswith(
        "some lines of tasks are lost, as they cannot be read here: error"
    )


def test_a_run_may_end_while_its_first_lines_come(
    progress: Progress, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that handles them is just being started; it is waited for, and handles them."""
    starting, begins = threading.Event(), threading.Thread.start

    def slow(thread: threading.Thread) -> None:
        if thread.name == "turgo-log-book":
            starting.set()
            time.sleep(0.05)
        begins(thread)

    monkeypatch.setattr(threading.Thread, "start", slow)
    book = LogBook(progress, "run")
    name = book.open(PIECES)
    delivers = threading.Thread(target=book.deliver, args=(bunch(name, line(1, "one")),))
    delivers.start()
    assert starting.wait(30)
    book.close()
    delivers.join()
    assert kept(progress) == ["one"]


def test_what_comes_after_the_end_starts_nothing(progress: Progress, handler: Handler) -> None:
    """As from a call that was given up: a thread would wait for more for ever."""
    book = LogBook(progress, "run")
    name = book.open(PIECES)
    book.close()
    book.deliver(bunch(name, line(1, "late")))
    assert kept(progress) == []
    assert not [thread for thread in threading.enumerate() if thread.name == "turgo-log-book"]
