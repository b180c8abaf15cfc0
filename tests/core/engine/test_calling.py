"""A single call on the worker: async functions, Ctrl-C, and limits of time."""

import asyncio
import contextvars
import signal
import threading
import time
from pathlib import Path

import pytest

from penstock.engine import work
from penstock.engine.batch import Batch
from penstock.engine.calling import Expired, prepare
from penstock.sources import load_source

made = load_source(Path(__file__).with_name("made_pieces.py"))


def fail(*values):
    raise ValueError(*values)


def test_ctrl_c_in_the_main_thread_goes_on():
    """In the driver's own process it is the user's; what was done before is in the batch."""

    def interrupt():
        signal.raise_signal(signal.SIGINT)

    batch = made.batch(made.single(0, int), made.single(1, interrupt), made.single(2, int))
    with pytest.raises(KeyboardInterrupt):
        work.execute(batch)
    assert [outcome[1] for outcome in batch.outcomes] == [0]
    crossed = Batch([made.single(1, interrupt)], {})
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
        made.outcomes(made.single(0, fn))


def test_a_handler_that_raises_keyboard_interrupt_is_heard():
    """SIGTERM that a program makes a KeyboardInterrupt of is not the failure of the call that ran then."""
    before = signal.signal(signal.SIGTERM, turn_into_interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            made.outcomes(made.single(0, signal.raise_signal, args=(signal.SIGTERM,)))
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
    (told, after) = made.outcomes(made.single(0, fn), made.single(1, int))
    assert (
        not told[0] and told[1][0] == "Failed" and isinstance(told[1][1], KeyboardInterrupt) and after[1] == 0
    )


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
    limited, patient = prepare(busy, 0.2), prepare(busy, 60.0)
    told = []

    def calls():
        began = time.monotonic()
        try:
            limited(30)
        except Expired:
            told.append(time.monotonic() - began)
        told.append(patient(0))
        try:
            prepare(fail, 60.0)("own")
        except ValueError as error:
            told.append(str(error))

    if in_main:
        calls()
    else:
        thread = threading.Thread(target=calls)
        thread.start()
        thread.join()
    assert 0.15 < told[0] < 20 and told[1:] == ["done", "own"]


def test_a_call_that_is_about_to_be_killed_is_waited_for():
    """Where the executor ends the worker of a call that does not stop, a call that does is waited for until then."""
    told = []

    def stubborn():
        end = time.monotonic() + 10
        while time.monotonic() < end:
            time.sleep(0.3)  # heeds nothing meanwhile
        told.append("never")

    batch = Batch([made.single(0, prepare(stubborn, 0.1))], {})
    batch.killed_if_late = True
    before = set(threading.enumerate())
    thread = threading.Thread(target=work.execute, args=(batch,))
    thread.start()
    thread.join()
    ((good, (state, *_), _, _),) = batch.outcomes
    assert not good and state == "TimedOut" and told == [] and before >= set(threading.enumerate())


def test_a_limit_does_not_disturb_an_alarm_of_the_users():
    """The timer and the handler that were there are there again."""
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        assert prepare(busy, 60.0)(0.05) == "done"
        end = time.monotonic() + 20
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
