"""A single call on the worker: async functions, Ctrl-C, and limits of time."""

import asyncio
import contextvars
import gc
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source
from turgo.worker.batch import Batch
from turgo.worker.call import prepare
from turgo.worker.execute import execute
from turgo.worker.limits.descendants import relative, ticks_since_boot
from turgo.worker.limits.interrupt import Expired

made = load_source(Path(__file__).with_name("made_pieces.py"))


def fail(*values):
    raise ValueError(*values)


def test_ctrl_c_in_the_main_thread_goes_on():
    """In the driver's own process it is the user's; what was done before is in the batch."""

    def interrupt():
        signal.raise_signal(signal.SIGINT)

    batch = made.batch(made.single(0, int), made.single(1, interrupt), made.single(2, int))
    with pytest.raises(KeyboardInterrupt):
        execute(batch)
    assert [outcome.value for outcome in batch.outcomes] == [0]
    crossed = Batch([made.single(1, interrupt)], {})
    crossed.crossed = True
    assert isinstance(execute(crossed), bytes)


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
    assert told.failure.state == "Failed" and isinstance(told.failure.error, KeyboardInterrupt)
    assert after.value == 0


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
    thread = threading.Thread(target=execute, args=(batch,))
    thread.start()
    thread.join()
    (outcome,) = batch.outcomes
    assert outcome.failure.state == "TimedOut" and told == [] and before >= set(threading.enumerate())


def in_a_thread(body):
    """Run it in a thread other than the main one, to its end."""
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()


def test_a_call_that_is_left_in_c_code_is_named(caplog):
    """It is given up when its time is up, and interrupted again; a warning says which one runs on, and where."""
    release = threading.Lock()
    release.acquire()
    batch = Batch([made.single(0, prepare(release.acquire, 0.05))], {})
    in_a_thread(lambda: execute(batch))
    assert batch.outcomes[0].failure.state == "TimedOut"
    end = time.monotonic() + 30
    while "does not stop" not in caplog.text:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert "-call" in caplog.text
    release.release()


async def absorbs_its_end():
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)


@pytest.mark.parametrize("in_main", [True, False])
def test_an_async_call_cannot_absorb_its_end(in_main, caplog):
    """Although it catches the error by which an event loop cancels it; nothing is said of tasks that are pending."""
    told = []

    def calls():
        with pytest.raises(Expired):
            prepare(absorbs_its_end, 0.1)()
        told.append("ended")

    calls() if in_main else in_a_thread(calls)
    gc.collect()
    assert told == ["ended"] and "pending" not in caplog.text


def sleeper(started):
    """Start a process, and wait for it."""
    process = subprocess.Popen(["sleep", "60"])
    started.append(process)
    process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc")
@pytest.mark.parametrize("in_main", [True, False])
def test_where_late_calls_are_killed_what_they_started_is_killed_too(in_main):
    """The process that a call has started; one that was there before stays."""
    started = []
    with subprocess.Popen(["sleep", "60"]) as before:
        # what started in the same hundredth of a second would count
        while ticks_since_boot() <= relative(before.pid).started:
            time.sleep(0.01)
        batch = Batch([made.single(0, prepare(sleeper, 0.5), args=(started,))], {})
        batch.killed_if_late = True
        execute(batch) if in_main else in_a_thread(lambda: execute(batch))
        assert batch.outcomes[0].failure.state == "TimedOut"
        started[0].wait(30)
        assert relative(started[0].pid) is None
        assert relative(before.pid) is not None
        before.kill()


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
