"""The work: a batch on the worker, and what comes of each call."""

import asyncio
import contextvars
import logging
import signal
import subprocess
import sys
import threading
import time

import pytest

from penstock import Skip, current
from penstock.engine import work
from penstock.engine.batch import Batch, Step
from penstock.engine.calling import Expired, prepare
from penstock.flows.templates import CONST, CONSTANTS, LIST, RESULT, RESULTS, TEMPLATES


def step(id, plan, args, kwargs=None, depends=(), spread=None):
    return Step(id, plan, args, kwargs or {}, depends, spread)


def single(id, fn, plan=CONSTANTS, args=(), kwargs=None, depends=()):
    return step(id, plan, args, kwargs, depends), fn, -1, -1, None


def spread(id, fn, *columns, args=None, places=None, kwargs=None):
    places = tuple(range(len(columns))) if places is None else places
    args = (None,) * len(columns) if args is None else args
    width = next(len(column) for column in columns if not isinstance(column, int))
    return step(id, TEMPLATES, args, kwargs, spread=places), fn, 0, width, list(columns)


def outcomes(*pieces, given=None):
    batch = Batch(pieces, given or {})
    stamp, told, _ = work.execute(batch)
    assert len(stamp) == 3 and told is batch.outcomes
    return told


def fail(*values):
    raise ValueError(*values)


def test_each_plan_finds_its_arguments():
    """Constants, values of nodes from this batch and from before, templates."""
    told = outcomes(
        single(0, max, args=(3, 4)),
        single(1, pow, RESULTS, (0, 9), depends=(0, 9)),
        single(
            2, sum, TEMPLATES, ((LIST, ((RESULT, 0), (RESULT, 1))),), {"start": (CONST, 100)}, depends=(0, 1)
        ),
        given={9: 2},
    )
    assert [value for good, value, *_ in told if good] == [4, 16, 120]
    assert all(began <= ended for _, _, began, ended in told)


def test_a_failure_is_told_and_what_needs_it_is_not_run():
    """Also what only comes after it; the rest of the batch runs."""
    ran = []
    told = outcomes(
        single(0, fail, args=("broken",)),
        single(1, ran.append, RESULTS, (0,), depends=(0,)),
        single(2, ran.append, args=("after",), depends=(0,)),
        single(3, ran.append, RESULTS, (1,), depends=(1,)),
        single(4, ran.append, args=("fine",)),
    )
    (good, (state, error, text), _, _), *rest = told
    assert (good, state, str(error), text) == (False, "Failed", "broken", "")
    assert rest[:3] == [None, None, None] and ran == ["fine"]


def test_a_traceback_begins_in_the_users_function():
    """Frames of the engine are left out."""
    ((_, (_, error, _), _, _),) = outcomes(single(0, fail, args=("x",)))
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
    ((good, (told, *_), _, _),) = outcomes(single(0, fn))
    assert not good and told == state
    (elements,) = outcomes(spread(0, lambda value: fn() if value == 1 else value, [0, 1, 2]))
    assert elements[1] == [0, None, 2] and elements[3][1][0] == state


def test_elements_of_one_column_of_several_and_with_fixed_arguments():
    """By place and by name."""
    (told,) = outcomes(spread(0, str, [1, 2]))
    assert told[1] == ["1", "2"] and len(told[2]) == 2 and told[3] == {}
    (told,) = outcomes(spread(0, pow, [2, 3], [5, 2]))
    assert told[1] == [32, 9]
    (told,) = outcomes(
        spread(
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
    assert told[1] == [
        ((1, "nine"), {"name": "a", "fixed": True}),
        ((2, "nine"), {"name": "b", "fixed": True}),
    ]


def test_elements_that_follow_others_of_the_batch():
    """Those that follow a failed one are not run; what reduces the failed ones neither."""

    def odd(value):
        return fail(value) if value == 2 else value

    first, second, third = outcomes(
        spread(0, odd, [1, 2, 3]),
        (step(1, TEMPLATES, (None,), spread=(0,)), str, 0, 3, [0]),
        single(2, sum, RESULTS, (0,), depends=(0,)),
    )
    assert first[1] == [1, None, 3] and second[1] == ["1", None, "3"] and second[3] == {1: None}
    assert third is None


def test_a_reduce_in_the_same_batch_gets_a_list_of_its_own():
    """What it does to it changes no outcome."""
    told = outcomes(spread(0, str, [1, 2]), single(1, list.clear, RESULTS, (0,), depends=(0,)))
    assert told[0][1] == ["1", "2"]


def test_ctrl_c_in_the_main_thread_goes_on():
    """In the driver's own process it is the user's; what was done before is in the batch."""

    def interrupt():
        signal.raise_signal(signal.SIGINT)

    batch = Batch([single(0, int), single(1, interrupt), single(2, int)], {})
    with pytest.raises(KeyboardInterrupt):
        work.execute(batch)
    assert [outcome[1] for outcome in batch.outcomes] == [0]
    crossed = Batch([single(1, interrupt)], {})
    crossed.crossed = True
    assert isinstance(work.execute(crossed), bytes)


def turn_into_interrupt(signum, frame):
    """As a program does that cleans up when it is told to end."""
    raise KeyboardInterrupt


async def hear_ctrl_c():
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(10)


def convert():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("by the library") from None


@pytest.mark.parametrize("fn", [prepare(hear_ctrl_c, None), convert], ids=["async", "converted"])
def test_ctrl_c_is_known_whoever_raises_it(fn):
    """Also by the event loop of an async task, or by a library that raises its own in its place."""
    with pytest.raises(KeyboardInterrupt):
        outcomes(single(0, fn))


def test_a_handler_that_raises_keyboard_interrupt_is_heard():
    """SIGTERM that a program makes a KeyboardInterrupt of is not the failure of the call that ran then."""
    before = signal.signal(signal.SIGTERM, turn_into_interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            outcomes(single(0, signal.raise_signal, args=(signal.SIGTERM,)))
    finally:
        signal.signal(signal.SIGTERM, before)


def raise_it():
    raise KeyboardInterrupt


async def raise_it_later():
    await asyncio.sleep(0)
    raise KeyboardInterrupt("own")


@pytest.mark.parametrize("fn", [raise_it, prepare(raise_it_later, None)], ids=["sync", "async"])
def test_what_a_call_raises_itself_is_its_own(fn):
    """A KeyboardInterrupt that no signal made is a failure as any other, in the main thread as well."""
    (told, after) = outcomes(single(0, fn), single(1, int))
    assert (
        not told[0] and told[1][0] == "Failed" and isinstance(told[1][1], KeyboardInterrupt) and after[1] == 0
    )


def test_logs_are_kept_with_their_call():
    """The place of the piece and of the element; what other threads log meanwhile is not taken."""
    logger = logging.getLogger("test_work")

    def speak(value):
        other = threading.Thread(target=logger.warning, args=("elsewhere",))
        other.start()
        other.join()
        logger.warning("value %s", value)

    batch = Batch([single(0, int), spread(1, speak, ["a", "b"]), single(2, speak, args=("c",))], {})
    _, _, lines = work.execute(batch)
    assert [(at, offset, text) for at, offset, _, _, text, _, _ in lines] == [
        (1, 0, "value a"),
        (1, 1, "value b"),
        (2, None, "value c"),
    ]


def test_a_handler_is_put_up_and_taken_down():
    """Nothing of a batch stays behind."""
    before = list(logging.getLogger().handlers)
    outcomes(single(0, int))
    assert logging.getLogger().handlers == before


async def later(value):
    await asyncio.sleep(0)
    return value


def test_async_functions_run_to_their_end():
    """Also where a loop is running already."""
    assert prepare(later, None)(3) == 3
    assert prepare(later, 5.0)(3) == 3

    async def inside():
        return prepare(later, None)(4)

    assert asyncio.run(inside()) == 4


def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return "done"


@pytest.mark.parametrize("in_main", [True, False])
def test_a_limit_of_time_is_kept_in_any_thread(in_main):
    """By a signal in the main thread, by waiting elsewhere; a quick call gives its value, its error is its own."""
    limited = prepare(busy, 0.2)
    told = []

    def calls():
        began = time.monotonic()
        try:
            limited(10)
        except Expired:
            told.append(time.monotonic() - began)
        told.append(limited(0))
        try:
            prepare(fail, 5.0)("own")
        except ValueError as error:
            told.append(str(error))

    if in_main:
        calls()
    else:
        thread = threading.Thread(target=calls)
        thread.start()
        thread.join()
    assert 0.15 < told[0] < 2 and told[1:] == ["done", "own"]


def test_a_call_that_is_about_to_be_killed_is_waited_for():
    """Where the executor ends the worker of a call that does not stop, a call that does is waited for until then."""
    told = []

    def stubborn():
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            time.sleep(0.3)  # heeds nothing meanwhile
        told.append("never")

    batch = Batch([single(0, prepare(stubborn, 0.1))], {})
    batch.killed_if_late = True
    before = set(threading.enumerate())
    thread = threading.Thread(target=work.execute, args=(batch,))
    thread.start()
    thread.join()
    ((good, (state, *_), _, _),) = batch.outcomes
    assert not good and state == "TimedOut" and told == [] and before >= set(threading.enumerate())


def test_what_a_call_that_was_left_behind_logs_is_no_other_calls():
    """It stays the call that it was, also once its batch is over."""
    gate, places = threading.Event(), []

    def late(number):
        if number == 0:
            try:
                gate.wait(20)
            finally:
                places.append(current().index)

    def open_gate():
        gate.set()

    def calls():
        work.execute(Batch([spread(0, prepare(late, 0.2), [0, 1]), single(1, open_gate)], {}))

    thread = threading.Thread(target=calls)
    thread.start()
    thread.join()
    end = time.monotonic() + 10
    while not places and time.monotonic() < end:
        time.sleep(0.01)
    assert places == [0]


def test_a_limit_does_not_disturb_an_alarm_of_the_users():
    """The timer and the handler that were there are there again."""
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        assert prepare(busy, 5.0)(0.05) == "done"
        end = time.monotonic() + 3
        while not rung and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rung == [1]


def test_context_variables_are_there_in_a_call_with_a_limit():
    """Although it runs in a thread of its own."""
    variable = contextvars.ContextVar("variable", default="none")
    told = []

    def body():
        variable.set("set")
        told.append(prepare(variable.get, 5.0)())

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert told == ["set"]


def test_the_modules_of_the_work_need_no_third_party():
    """Importing them loads nothing but the standard library and themselves."""
    code = (
        "import sys; before = set(sys.modules); import penstock.engine.work;"
        "new = {n.partition('.')[0] for n in set(sys.modules) - before};"
        "print(sorted(n for n in new if n not in sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['penstock']"


def nap(seconds):
    time.sleep(seconds)
    return seconds


def test_a_batch_that_takes_too_long_begins_no_further_call():
    """It tells of those that it made; at least one."""
    pieces = [
        single(0, nap, args=(0.02,)),
        spread(1, nap, [0.0] * 3, args=(None,)),
        single(2, nap, args=(0.0,)),
    ]
    batch = Batch(pieces, {})
    batch.limit = 0.01
    assert len(work.execute(batch)[1]) == 1
    batch = Batch(pieces[1:], {})
    batch.limit = 0.0
    (outcome,) = work.execute(batch)[1]
    assert outcome[1] == [0.0] and len(outcome[2]) == 1


def test_elements_with_several_arguments_stop_as_well():
    """After the first that ended too late."""
    batch = Batch([spread(0, lambda a, b: nap(a), [0.0, 0.02, 0.0], [1, 2, 3])], {})
    batch.limit = 0.01
    (outcome,) = work.execute(batch)[1]
    assert outcome[1] == [0.0, 0.02]


def test_what_ends_a_call_of_an_abandoned_batch_ends_the_batch():
    """It was meant for the run: the calls behind it do not begin."""
    batch = Batch([single(0, fail), single(1, nap, args=(0.0,))], {})
    batch.abandoned = True
    with pytest.raises(ValueError, match=r"^$"):
        work.execute(batch)
    assert batch.outcomes == []


def test_a_log_line_whose_arguments_do_not_fit_fails_no_task():
    """Its text is kept as it was written."""
    logger = logging.getLogger("misfit")
    raising, logging.raiseExceptions = logging.raiseExceptions, False
    handler = logging.NullHandler()
    logger.addHandler(handler)
    try:
        batch = Batch([single(0, lambda: logger.warning("%d items", "no"))], {})
        with_logs = work.execute(batch)
    finally:
        logging.raiseExceptions = raising
        logger.removeHandler(handler)
    assert with_logs[1][0][0] is True
    assert [line[4] for line in with_logs[2]] == ["%d items"]


LAST_RESORT = """
import logging, sys, threading
from penstock.engine import work
from penstock.engine.batch import Batch, Step

logger = logging.getLogger("plain")
if "handler" in sys.argv:
    logger.addHandler(logging.StreamHandler(sys.stdout))
both = threading.Barrier(2)

def speak(number):
    both.wait(10)
    logger.warning("number %d", number)
    both.wait(10)

def run(number):
    work.execute(Batch([(Step(0, 0, (number,), {}, (), None), speak, -1, -1, None)], {}))

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
