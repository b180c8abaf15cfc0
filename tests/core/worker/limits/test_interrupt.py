"""An interrupt that a call absorbs comes again, until the call is over."""

import ctypes
import gc
import sys
import threading
import time

import pytest

from turgo.worker.limits.alarm import alarmed
from turgo.worker.limits.interrupt import INTERRUPT_REPEAT_SECONDS, Expired, Interrupt


def swallows():
    while True:
        try:
            time.sleep(0.05)
        except BaseException:
            pass


def swallows_bare():
    for _ in range(10**9):
        try:
            raise ConnectionError("not there yet")
        except:  # noqa: E722
            pass


def swallows_twice():
    while True:
        try:
            swallows()
        except BaseException:
            pass


def keeps():
    kept = []
    while True:
        try:
            time.sleep(0.05)
        except BaseException as error:
            kept.append(error)


def ends_slowly():
    try:
        time.sleep(60)
    finally:
        time.sleep(60)


def swallows_in_a_callee():
    def patient():
        try:
            time.sleep(60)
        except BaseException:
            return "swallowed"

    while patient():
        pass


def swallows_in_a_generator():
    def endless():
        while True:
            try:
                yield time.sleep(0.01)
            except GeneratorExit:
                return
            except BaseException:
                pass

    for _ in endless():
        pass


STUBBORN = [
    swallows,
    swallows_bare,
    swallows_twice,
    keeps,
    swallows_in_a_generator,
    ends_slowly,
    swallows_in_a_callee,
]


@pytest.mark.parametrize("call", STUBBORN, ids=lambda call: call.__name__)
def test_no_call_outlives_its_interrupts(call):
    """Whatever it does with them, its time is up; neither the error nor the tracing goes on after it."""
    before = sys.gettrace()
    with pytest.raises(Expired) as caught:
        alarmed(call, 0.1)
    assert not caught.value.propagates
    assert sys.gettrace() is before


@pytest.mark.parametrize("call", STUBBORN[:5], ids=lambda call: call.__name__)
def test_no_call_in_another_thread_does_either(call):
    """There the interpreter raises the error, as soon as Python code runs: what waits in C is not interrupted."""
    interrupt, raised = Interrupt(1.0), []

    def body():
        try:
            with interrupt:
                call()
        except BaseException as error:
            raised.append(type(error))

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    end = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < end:
        raise_in(thread, interrupt.kind)
        thread.join(INTERRUPT_REPEAT_SECONDS)
    assert raised == [interrupt.kind]


def raise_in(thread, kind):
    """As the worker does it."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(kind))


def test_a_call_that_ends_at_the_first_interrupt_runs_its_handlers():
    """`finally` and context managers have their turn, undisturbed as long as they are quick."""
    steps = []

    def tidy():
        try:
            time.sleep(60)
        finally:
            steps.append("cleaning")
            time.sleep(0.1)
            steps.append("clean")

    with pytest.raises(Expired):
        alarmed(tidy, 0.1)
    assert steps == ["cleaning", "clean"]


def test_a_debugger_is_at_its_place_again_afterwards():
    """The trace function that was there before the call traces what comes after it."""
    seen = []

    def debugger(frame, event, argument):
        seen.append(event)
        return

    before = sys.gettrace()
    sys.settrace(debugger)
    try:
        with pytest.raises(Expired):
            alarmed(swallows, 0.05)
        assert sys.gettrace() is debugger
    finally:
        sys.settrace(before)
    assert "call" in seen


def test_nothing_is_raised_once_the_call_is_over():
    """The last reference to an error that was kept goes after the call: nobody is interrupted for it."""
    kept = []

    def keeps_one():
        try:
            time.sleep(60)
        except BaseException as error:
            kept.append(error)

    with pytest.raises(Expired):
        alarmed(keeps_one, 0.05)
    kept.clear()
    gc.collect()
    assert sum(range(1000)) == 499500
