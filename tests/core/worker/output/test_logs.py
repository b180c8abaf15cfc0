"""Records of calls: whose they are, and which handlers get them here and on a worker away from its driver."""

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from turgo.registry.source_files import load_source
from turgo.worker.batch import Batch
from turgo.worker.execute import execute
from turgo.worker.output import logs
from turgo.worker.output.lines import Line

made = load_source(Path(__file__).parents[1] / "made_pieces.py")


class Handler(logging.Handler):
    """Keeps the texts that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


class Stream:
    """Stands for the stream to a driver."""

    usable = True

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def add(self, batch: str, line: Line) -> None:
        self.lines.append(line)

    def flush(self) -> None:
        pass


@pytest.fixture
def alone() -> Iterator[tuple[logging.Logger, Handler]]:
    """A logger that does not propagate, with a handler of its own."""
    logger, handler = logging.getLogger("test_logs.alone"), Handler()
    logger.propagate = False
    logger.addHandler(handler)
    yield logger, handler
    logger.removeHandler(handler)
    logger.propagate = True


def put_back() -> None:
    """Undo what batches replace, also what a worker process replaces for good."""
    logging.Handler.__init__ = logs._init_handler  # type: ignore[method-assign]
    logging.FileHandler._open = logs._open_file  # type: ignore[method-assign]
    logging.Logger.callHandlers = logs._call_handlers  # type: ignore[method-assign]
    threading.Thread.start = logs._start_thread  # type: ignore[method-assign]
    logs._hooks.forget()


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    """Nothing is replaced before a test, whatever ran in this process, and nothing after it."""
    put_back()
    yield
    put_back()


@contextmanager
def switching_often() -> Iterator[None]:
    """Inside, threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def kept(*functions: Any) -> list[tuple[int, str]]:
    """What single calls of these functions log: the number of the call, and the text."""
    report = execute(Batch([made.single(at, each) for at, each in enumerate(functions)], {}))
    assert all(outcome.failure is None for outcome in report.outcomes), report.outcomes
    return [(line.at, line.text) for line in report.lines]


def test_a_logger_that_does_not_propagate_is_kept_as_well(alone: tuple[logging.Logger, Handler]) -> None:
    """Once, and its own handler gets the record once."""
    logger, handler = alone
    assert kept(lambda: logger.error("said")) == [(0, "said")]
    assert handler.texts == ["said"]


def test_a_thread_that_a_call_starts_is_the_calls(alone: tuple[logging.Logger, Handler]) -> None:
    """Also one that such a thread starts, those of a pool, and the tasks of an event loop."""
    logger, _ = alone

    def inner() -> None:
        thread = threading.Thread(target=logger.error, args=("of a thread's thread",))
        thread.start()
        thread.join()

    def starts() -> None:
        thread = threading.Thread(target=inner)
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(logger.error, "of a pool").result()

    async def loops() -> None:
        await asyncio.gather(asyncio.to_thread(logger.error, "of a loop"))

    assert kept(starts, lambda: asyncio.run(loops())) == [
        (0, "of a thread's thread"),
        (0, "of a pool"),
        (1, "of a loop"),
    ]


def test_a_thread_whose_call_is_over_is_nobodys(alone: tuple[logging.Logger, Handler]) -> None:
    """A pool that outlives the call that made it says its lines, and they are kept with no later call."""
    logger, handler = alone
    pools: list[ThreadPoolExecutor] = []

    def first() -> None:
        pools.append(ThreadPoolExecutor(1))
        pools[0].submit(logger.error, "in time").result()

    try:
        assert kept(first, lambda: pools[0].submit(logger.error, "too late").result()) == [(0, "in time")]
        pools[0].submit(logger.error, "after all").result()
    finally:
        pools[0].shutdown()
    assert handler.texts == ["in time", "too late", "after all"]


def away(function: Any, stream: Any) -> list[Line]:
    """The lines of a batch of one call whose driver is elsewhere."""
    batch = Batch([made.single(0, function)], {})
    batch.crossed, batch.driver, batch.name = True, "elsewhere:1", "run/1"
    with logs.captured_logs(batch, stream) as capture:
        function()
    return capture.lines


def test_away_from_the_driver_a_line_is_sent_once_and_copies_of_handlers_are_passed_over(
    alone: tuple[logging.Logger, Handler],
) -> None:
    """The driver's handler says it; one that the task itself set up gets it here."""
    logger, copy = alone
    logs.pass_over(copy)
    own, stream = Handler(), Stream()

    def says() -> None:
        logger.addHandler(own)
        logger.error("said")

    lines = away(says, stream)
    logger.removeHandler(own)
    assert [line.text for line in stream.lines] == ["said"] == [line.text for line in lines]
    assert (copy.texts, own.texts) == ([], ["said"])
    assert stream.lines[0].fields and stream.lines[0].fields["funcName"] == "says"


IMPORTED = """
import logging
handler = logging.FileHandler({path!r}, mode="w")
logging.getLogger("test_logs.alone").addHandler(handler)
"""


def test_a_module_that_is_imported_on_a_worker_truncates_no_file(
    alone: tuple[logging.Logger, Handler], tmp_path: Path
) -> None:
    """Its handler is a copy of the driver's: passed over, and writing nowhere."""
    logger, _ = alone
    file = tmp_path / "run.log"
    file.write_text("what the driver wrote\n")
    (tmp_path / "sets_up.py").write_text(IMPORTED.format(path=str(file)))
    modules: list[Any] = []

    def imports() -> None:
        modules.append(load_source(tmp_path / "sets_up.py"))
        logger.error("said")

    stream = Stream()
    away(imports, stream)
    logger.removeHandler(modules[0].handler)
    modules[0].handler.close()
    assert file.read_text() == "what the driver wrote\n"
    assert [line.text for line in stream.lines] == ["said"]


def test_a_file_that_a_task_itself_logs_to_is_written(
    alone: tuple[logging.Logger, Handler], tmp_path: Path
) -> None:
    """As one for each call. In a thread, as a module is imported while pytest-xdist runs tests: its own."""
    logger, _ = alone
    file = tmp_path / "call.log"

    def logs_to_a_file() -> None:
        handler = logging.FileHandler(file, mode="w")
        logger.addHandler(handler)
        logger.error("said")
        logger.removeHandler(handler)
        handler.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(away, logs_to_a_file, Stream()).result()
    assert file.read_text() == "said\n"


def test_threads_of_a_call_that_log_at_once_lose_no_line(alone: tuple[logging.Logger, Handler]) -> None:
    """Each line has a number of its own, and is sent in the order of the numbers, which the driver counts on."""
    logger, _ = alone
    batch, stream, begin = Batch([], {}), Stream(), threading.Barrier(4)

    def says(name: int) -> None:
        begin.wait(timeout=60)
        for number in range(200):
            logger.error("%d says %d", name, number)

    def starts() -> None:
        threads = [threading.Thread(target=says, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    batch.pieces = [made.single(0, starts)]
    with logs.captured_logs(batch, stream) as capture, switching_often():  # type: ignore[arg-type]
        starts()
    assert [line.number for line in stream.lines] == list(range(1, 801))
    assert sorted(line.text for line in capture.lines) == sorted(
        f"{name} says {number}" for name in range(4) for number in range(200)
    )
