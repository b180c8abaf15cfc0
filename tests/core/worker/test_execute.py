"""The work: a batch on the worker, and what comes of each call."""

import logging
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from turgo import Skip, current
from turgo.engine.transport.report import open_report
from turgo.registry.source_files import load_source
from turgo.worker.arguments import CONST, LIST, RESULT, RESULTS, TEMPLATES
from turgo.worker.batch import Batch, BatchPiece
from turgo.worker.call import prepare
from turgo.worker.execute import execute
from turgo.worker.values.pickles import copied

made = load_source(Path(__file__).with_name("made_pieces.py"))


def fail(*values):
    raise ValueError(*values)


def test_each_plan_finds_its_arguments():
    """Constants, values of nodes from this batch and from before, templates."""
    told = made.outcomes(
        made.single(0, max, args=(3, 4)),
        made.single(1, pow, RESULTS, (0, 9), depends=(0, 9)),
        made.single(
            2, sum, TEMPLATES, ((LIST, ((RESULT, 0), (RESULT, 1))),), {"start": (CONST, 100)}, depends=(0, 1)
        ),
        given={9: 2},
    )
    assert [each.value for each in told] == [4, 16, 120]
    assert all(each.began <= each.ended and each.failure is None for each in told)


def test_a_failure_is_told_and_what_needs_it_is_not_run():
    """Also what only comes after it; the rest of the batch runs."""
    ran = []
    told = made.outcomes(
        made.single(0, fail, args=("broken",)),
        made.single(1, ran.append, RESULTS, (0,), depends=(0,)),
        made.single(2, ran.append, args=("after",), depends=(0,)),
        made.single(3, ran.append, RESULTS, (1,), depends=(1,)),
        made.single(4, ran.append, args=("fine",)),
    )
    (_, (state, error, text), _, _), *rest = told
    assert (state, str(error), text) == ("Failed", "broken", "")
    assert rest[:3] == [None, None, None] and ran == ["fine"]


def grow(rows):
    rows.append(len(rows))
    return rows


GROWING = (
    made.single(0, list, args=([0],)),
    made.single(1, grow, RESULTS, (0,), depends=(0,)),
    made.single(2, grow, RESULTS, (1,), depends=(1,)),
)


def test_a_value_that_is_kept_is_reported_as_it_was_made():
    """In a process of its own a later call gets a copy; elements as well. What has no copy is handed on as it is."""
    batch = made.batch(*GROWING)
    batch.keeps = batch.crossed = True
    told = open_report(execute(batch)).outcomes
    assert [each.value for each in told] == [[0], [0, 1], [0, 1, 2]]
    batch = made.batch(
        made.spread(0, lambda number: [number], [5, 6]), made.spread(1, grow, 0, [0, 0], args=(None,))
    )
    batch.keeps = batch.crossed = True
    told = open_report(execute(batch)).outcomes
    assert [each.values for each in told] == [[[5], [6]], [[5, 1], [6, 1]]]
    lock, array = threading.Lock(), memoryview(bytearray(100))
    assert copied(lock) is lock
    assert copied(array, least=100) is array


def test_in_the_drivers_process_a_value_that_can_be_changed_ends_the_batch():
    """So the driver looks at it first; numbers and texts go on."""
    batch = made.batch(*GROWING)
    batch.keeps = True
    assert [each.value for each in execute(batch).outcomes] == [[0]]
    batch = made.batch(made.single(0, len, args=("abc",)), made.single(1, str, RESULTS, (0,), depends=(0,)))
    batch.keeps = True
    assert [each.value for each in execute(batch).outcomes] == [3, "3"]
    batch = made.batch(*GROWING)
    assert [len(each.value) for each in execute(batch).outcomes] == [3, 3, 3]


def test_a_traceback_begins_in_the_users_function():
    """Frames of the engine are left out."""
    ((_, (_, error, _), _, _),) = made.outcomes(made.single(0, fail, args=("x",)))
    assert error.__traceback__.tb_frame.f_code.co_name == "fail"


def skip():
    raise Skip("none")


def leave():
    raise SystemExit(3)


def stop():
    raise StopIteration


@pytest.mark.parametrize(("fn", "state"), [(skip, "Skipped"), (leave, "Failed"), (stop, "Failed")])
def test_whatever_a_call_raises_is_its_own_failure(fn, state):
    """Skips are told as such; SystemExit ends no worker, StopIteration no loop."""
    (outcome,) = made.outcomes(made.single(0, fn))
    assert outcome.failure.state == state
    (elements,) = made.outcomes(made.spread(0, lambda value: fn() if value == 1 else value, [0, 1, 2]))
    assert elements.values == [0, None, 2] and elements.failures[1].state == state


def test_elements_of_one_column_of_several_and_with_fixed_arguments():
    """By place and by name."""
    (told,) = made.outcomes(made.spread(0, str, [1, 2]))
    assert told.values == ["1", "2"] and len(told.ends) == 2 and told.failures == {}
    (told,) = made.outcomes(made.spread(0, pow, [2, 3], [5, 2]))
    assert told.values == [32, 9]
    (told,) = made.outcomes(
        made.spread(
            0,
            lambda *args, **kwargs: (args, kwargs),
            [1, 2],
            ["a", "b"],
            args=(None, (RESULT, 9)),
            places=(0, "name"),
            kwargs={"name": None, "fixed": (CONST, True)},
        ),
        given={9: "nine"},
    )
    assert told.values == [
        ((1, "nine"), {"name": "a", "fixed": True}),
        ((2, "nine"), {"name": "b", "fixed": True}),
    ]


def test_elements_that_follow_others_of_the_batch():
    """Those that follow a failed one are not run; what reduces the failed ones neither."""

    def odd(value):
        return fail(value) if value == 2 else value

    first, second, third = made.outcomes(
        made.spread(0, odd, [1, 2, 3]),
        BatchPiece(made.step(1, TEMPLATES, (None,), spread=(0,)), str, 0, 3, [0]),
        made.single(2, sum, RESULTS, (0,), depends=(0,)),
    )
    assert first.values == [1, None, 3] and second.values == ["1", None, "3"] and second.failures == {1: None}
    assert third is None


def test_a_reduce_in_the_same_batch_gets_a_list_of_its_own():
    """What it does to it changes no outcome."""
    told = made.outcomes(made.spread(0, str, [1, 2]), made.single(1, list.clear, RESULTS, (0,), depends=(0,)))
    assert told[0].values == ["1", "2"]


def test_logs_are_kept_with_their_call():
    """The place of the piece and of the element; what threads of the program log meanwhile is not taken."""
    logger = logging.getLogger("test_execute")
    asked: queue.SimpleQueue = queue.SimpleQueue()
    said = threading.Semaphore(0)

    def speak_elsewhere():
        while asked.get():
            logger.warning("elsewhere")
            said.release()

    elsewhere = threading.Thread(target=speak_elsewhere)
    elsewhere.start()

    def speak(value):
        asked.put(True)
        assert said.acquire(timeout=20)
        logger.warning("value %s", value)

    batch = made.batch(
        made.single(0, int), made.spread(1, speak, ["a", "b"]), made.single(2, speak, args=("c",))
    )
    _, _, lines = execute(batch)
    asked.put(False)
    elsewhere.join()
    assert [(line.at, line.offset, line.text) for line in lines] == [
        (1, 0, "value a"),
        (1, 1, "value b"),
        (2, None, "value c"),
    ]


def test_a_handler_is_put_up_and_taken_down():
    """Nothing of a batch stays behind."""
    before = list(logging.getLogger().handlers)
    made.outcomes(made.single(0, int))
    assert logging.getLogger().handlers == before


def test_what_a_call_that_was_left_behind_logs_is_no_other_calls():
    """It stays the call that it was, also once its batch is over."""
    gate, places = threading.Event(), []

    def late(number):
        if number == 0:
            try:
                gate.wait(60)
            finally:
                places.append(current().index)

    def open_gate():
        gate.set()

    def calls():
        execute(made.batch(made.spread(0, prepare(late, 0.2), [0, 1]), made.single(1, open_gate)))

    thread = threading.Thread(target=calls)
    thread.start()
    thread.join()
    end = time.monotonic() + 40
    while not places and time.monotonic() < end:
        time.sleep(0.01)
    assert places == [0]


def test_the_modules_of_the_work_need_no_third_party():
    """Importing them loads nothing but the standard library and themselves."""
    code = (
        "import sys; before = set(sys.modules); import turgo.worker.execute;"
        "new = {n.partition('.')[0] for n in set(sys.modules) - before};"
        "print(sorted(n for n in new if n not in sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['turgo']"


def nap(seconds):
    time.sleep(seconds)
    return seconds


def test_a_batch_that_takes_too_long_begins_no_further_call():
    """It tells of those that it made; at least one."""
    pieces = [
        made.single(0, nap, args=(0.02,)),
        made.spread(1, nap, [0.0] * 3, args=(None,)),
        made.single(2, nap, args=(0.0,)),
    ]
    batch = Batch(pieces, {})
    batch.limit = 0.01
    assert len(execute(batch).outcomes) == 1
    batch = Batch(pieces[1:], {})
    batch.limit = 0.0
    (outcome,) = execute(batch).outcomes
    assert outcome.values == [0.0] and len(outcome.ends) == 1


def test_elements_with_several_arguments_stop_as_well():
    """After the first that ended too late: here the second, which waits until the time is up."""
    began = time.perf_counter()

    def call(number, other):
        while number == 2 and time.perf_counter() <= began + 2 * batch.limit:
            time.sleep(0.01)
        return number

    batch = Batch([made.spread(0, call, [1, 2, 3], [1, 2, 3])], {})
    for batch.limit in (0.05, 1.0, 10.0):  # a slow machine may need more for the first
        batch.outcomes, began = [], time.perf_counter()
        (outcome,) = execute(batch).outcomes
        if len(outcome.values) > 1:
            break
    assert outcome.values == [1, 2]


def test_what_ends_a_call_of_an_abandoned_batch_ends_the_batch():
    """It was meant for the run: the calls behind it do not begin."""
    batch = Batch([made.single(0, fail), made.single(1, nap, args=(0.0,))], {})
    batch.abandoned = True
    with pytest.raises(ValueError, match=r"^$"):
        execute(batch)
    assert batch.outcomes == []


def test_what_an_executor_raises_in_a_call_that_it_cancels_ends_the_batch():
    """If the error says of itself that it goes on; so no other call of the batch begins there."""

    class Interrupted(Exception):  # noqa: N818  (it is no error)
        propagates = True

    called = []

    def interrupted(number):
        called.append(number)
        raise Interrupted

    batch = Batch([made.spread(0, interrupted, [1, 2, 3]), made.single(1, nap, args=(0.0,))], {})
    with pytest.raises(Interrupted):
        execute(batch)
    assert called == [1]


def test_a_log_line_whose_arguments_do_not_fit_fails_no_task():
    """Its text is kept as it was written."""
    logger = logging.getLogger("misfit")
    raising, logging.raiseExceptions = logging.raiseExceptions, False
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        batch = Batch([made.single(0, lambda: logger.warning("%d items", "no"))], {})
        with_logs = execute(batch)
    finally:
        logging.raiseExceptions = raising
        logger.removeHandler(handler)
    assert with_logs.outcomes[0].failure is None
    assert [line.text for line in with_logs.lines] == ["%d items"]


LAST_RESORT = """
import logging, sys, threading
from turgo.worker.execute import execute
from turgo.worker.batch import Batch, BatchPiece, Step

logger = logging.getLogger("plain")
if "handler" in sys.argv:
    logger.addHandler(logging.StreamHandler(sys.stdout))
both = threading.Barrier(2)

def speak(number):
    both.wait(40)
    logger.warning("number %d", number)
    both.wait(40)

def run(number):
    execute(Batch([BatchPiece(Step(0, 0, (number,), {}, (), None), speak, -1, -1, None)], {}))

threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.mark.parametrize("handler", [False, True])
def test_where_nobody_configured_logging_a_warning_is_heard_once(handler):
    """By Python's last resort on standard error from every thread; by the user's handler alone if there is one."""
    command = [sys.executable, "-c", LAST_RESORT, *(["handler"] if handler else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    heard, silent = (done.stdout, done.stderr) if handler else (done.stderr, done.stdout)
    assert sorted(heard.splitlines()) == ["number 0", "number 1"] and not silent
