"""What tasks log and print reaches the driver in the same way from every executor."""

import logging
import os
import sys
import threading
import time
from collections import Counter

import cloudpickle
import pytest

from turgo import current, flow, task

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "dask in threads", "file")


class Told(logging.Handler):
    """What a handler of the driver hears, with the task that it came from."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        if hasattr(record, "task"):
            self.lines.append((record.task, record.task_index, record.levelname, record.getMessage()))


@pytest.fixture
def told():
    """A handler of the root logger, which stands at INFO as long."""
    root, handler = logging.getLogger(), Told()
    before = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


# Logs.


def test_logs_reach_the_driver_with_their_task_run(executor, caplog):
    """What calls log is kept with the task run that logged it, and the driver's handlers hear of it once."""

    @task
    def speaks(number):
        logging.getLogger("speaker").warning("number %d", number)
        return number

    @task(timeout=20.0)
    def limited():
        logging.getLogger("speaker").error("with a limit")

    @task
    async def asynchronous():
        logging.getLogger("speaker").error("on a loop")

    @flow
    def speaking():
        return speaks.map(range(5)), speaks(17), limited(), asynchronous()

    with caplog.at_level(logging.WARNING):
        run = speaking.run(executor=executor)
    texts = [[line.message for line in each.logs] for each in run.task_runs]
    expected = [
        "number 0",
        "number 1",
        "number 2",
        "number 3",
        "number 4",
        "number 17",
        "with a limit",
        "on a loop",
    ]
    assert texts == [[text] for text in expected]
    line = run.task_runs[0].logs[0]
    assert (line.logger, line.level) == ("speaker", logging.WARNING) and abs(line.time - time.time()) < 60
    heard = Counter(record.getMessage() for record in caplog.records if record.name == "speaker")
    assert heard == Counter(expected)


def test_what_a_task_logs_is_heard_once_in_order_and_with_its_name(executor, told):
    """Also at a level that a worker process would not speak at by itself."""

    @task
    def speaks(number):
        current().logger.info("first %d", number)
        logging.getLogger("library").warning("second %d", number)
        logging.getLogger("library").debug("not wanted")
        current().logger.info("third %d", number)

    @flow
    def speaking():
        return speaks.map(range(3))

    run = speaking.run(executor=executor)
    for index in range(3):
        texts = [f"first {index}", f"second {index}", f"third {index}"]
        assert [line.message for line in run.task_runs[index].logs] == texts
        heard = [line for line in told.lines if line[1] == index]
        levels = ["INFO", "WARNING", "INFO"]
        assert heard == [("speaks", index, *each) for each in zip(levels, texts, strict=True)]
    assert len(told.lines) == 9


def test_a_level_of_the_driver_holds_on_workers_for_the_run_alone(executor, told):
    """A logger that the driver silences is silent there; in the next run it may speak again."""

    @task
    def chatters():
        logging.getLogger("chatty.part").info("blah")

    @flow
    def chattering():
        return chatters()

    chatty = logging.getLogger("chatty")
    chatty.setLevel(logging.ERROR)
    try:
        assert chattering.run(executor=executor).task_runs[0].logs == ()
    finally:
        chatty.setLevel(logging.NOTSET)
    assert [line.message for line in chattering.run(executor=executor).task_runs[0].logs] == ["blah"]


def test_the_lines_that_are_kept_of_a_task_run_are_bounded(executor, told):
    """What is beyond is counted, in the last line."""

    @task
    def floods(count):
        for number in range(count):
            current().logger.info("line %d", number)

    @flow
    def flooding():
        return floods.map([3_000, 2])

    one, other = flooding.run(executor=executor).task_runs
    assert len(one.logs) == 1_001 and "2000 more line(s)" in one.logs[-1].message
    assert [line.message for line in other.logs] == ["line 0", "line 1"]


# Prints.


@task(log_prints=True)
def prints(number):
    print("one", number)
    current().logger.info("two %d", number)
    print("three\nfour", end="")
    print("!")
    sys.stdout.write("five")
    return number


@flow
def printing():
    return prints.map([0, 1])


def test_prints_become_lines_of_the_log(executor, told, capfd):
    """In order with what else it logs, one record for each line, and not printed besides."""
    stdout = sys.stdout
    run = printing.run(executor=executor)
    for index in (0, 1):
        texts = [f"one {index}", f"two {index}", "three", "four!", "five"]
        assert [line.message for line in run.task_runs[index].logs] == texts
        assert [line[3] for line in told.lines if line[1] == index] == texts
    assert all(line.logger == "turgo.task.prints" for line in run.task_runs[0].logs)
    assert capfd.readouterr().out == ""
    assert sys.stdout is stdout


def test_prints_are_never_lost(executor, capfd):
    """Where INFO is not wanted they are printed as ever, by the worker, and kept with the task run."""
    run = printing.run(executor=executor)
    assert [line.message for line in run.task_runs[0].logs] == ["one 0", "three", "four!", "five"]
    if str(os.getpid()) in run.task_runs[0].worker:  # workers that were there before cannot be heard
        words = [*["one", "0", "three", "four!", "five"], *["one", "1", "three", "four!", "five"]]
        assert sorted(capfd.readouterr().out.split()) == sorted(words)


def test_prints_of_other_threads_are_their_own(told, capfd):
    """While a task prints to its log, what the program prints meanwhile goes where it always goes."""
    printed, both = threading.Event(), threading.Barrier(2)

    @task(log_prints=True)
    def waits():
        print("from the task")
        both.wait(20)
        printed.wait(20)

    @flow
    def waiting():
        return waits()

    def meanwhile():
        both.wait(20)
        print("from the program")
        printed.set()

    thread = threading.Thread(target=meanwhile)
    thread.start()
    run = waiting.run(executor="local")
    thread.join()
    assert [line.message for line in run.task_runs[0].logs] == ["from the task"]
    assert capfd.readouterr().out == "from the program\n"
