"""What a task with `log_prints` prints becomes lines of its log."""

import logging
import sys

import pytest

from turgo.worker.arguments import CONSTANTS
from turgo.worker.batch import Batch, BatchPiece, Step
from turgo.worker.call import prepare
from turgo.worker.execute import execute


@pytest.fixture
def at_info():
    """The tasks' loggers speak at INFO."""
    logger = logging.getLogger("turgo.task")
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(logging.NOTSET)


def lines_of(fn):
    step = Step(0, CONSTANTS, (), {}, (), None, name="prints")
    _, outcomes, lines = execute(Batch([BatchPiece(step, prepare(fn, None, True), -1, -1, None)], {}))
    return outcomes[0], [text for *_, text, _, _ in lines]


def test_lines_are_whole_and_what_is_left_is_a_line(at_info, capsys):
    """However they are written; an empty line is one as well."""

    def prints():
        print("one", "two", end=", ")
        print("three\n\nfour")
        sys.stdout.writelines(["five\n", "six"])
        print(file=sys.stderr)

    assert lines_of(prints)[1] == ["one two, three", "", "four", "five", "six"]
    assert capsys.readouterr() == ("", "\n")


def test_what_a_failing_call_printed_is_not_lost(at_info):
    """Nor is what it had begun to print."""

    def prints():
        print("before", end="")
        raise ValueError

    outcome, lines = lines_of(prints)
    assert isinstance(outcome.failure.error, ValueError) and lines == ["before"]


def test_a_handler_that_prints_is_not_logged_again(at_info, capsys):
    """A handler that writes to `sys.stdout`, whatever that is, would go round in circles."""

    class Prints(logging.Handler):
        def emit(self, record):
            print("handled:", record.getMessage())

    handler = Prints()
    at_info.addHandler(handler)
    try:
        assert lines_of(lambda: print("text"))[1] == ["text"]
    finally:
        at_info.removeHandler(handler)
    assert capsys.readouterr().out == "handled: text\n"


def test_outside_a_run_the_function_prints_as_ever(capsys):
    """It is a function, then."""
    prepare(lambda: print("plain", end=""), None, True)()
    assert capsys.readouterr().out == "plain\n"


def test_the_record_names_the_line_that_printed(at_info, caplog):
    """As that of any other log call."""
    lines_of(lambda: print("where"))
    (record,) = [each for each in caplog.records if each.getMessage() == "where"]
    assert record.filename == "test_prints.py" and record.task == "prints"


def test_stdout_has_all_that_it_has(at_info):
    """A task may ask for its encoding, or flush it."""

    def asks():
        sys.stdout.flush()
        print("flushed", flush=True)
        return sys.stdout.encoding

    stdout = sys.stdout
    outcome, lines = lines_of(asks)
    assert outcome.value == stdout.encoding and lines == ["flushed"] and sys.stdout is stdout


def test_threads_in_the_context_of_a_call_lose_nothing_that_they_print(at_info):
    """As those of `asyncio.to_thread`, whose lines are the call's."""
    import asyncio

    def says(name):
        for number in range(200):
            sys.stdout.write(f"{name} says {number}\n")

    async def starts():
        await asyncio.gather(*(asyncio.to_thread(says, name) for name in range(4)))

    lines = lines_of(starts)[1]
    assert sorted(lines) == sorted(f"{name} says {number}" for name in range(4) for number in range(200))
