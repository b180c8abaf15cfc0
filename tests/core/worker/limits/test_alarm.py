"""An alarm in the main thread: it rings again until it is left, and leaves one that was set before as it was."""

import signal
import time

import pytest

from turgo.worker.limits.alarm import alarm, alarmed
from turgo.worker.limits.interrupt import Expired


def wait_for(event, seconds=30.0):
    """Wait in short naps until `event()` is true."""
    end = time.monotonic() + seconds
    while not event():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_rings_again_whether_it_returns_or_raises():
    """One that nobody could hear, and one whose error was caught, ring once more."""
    rings, before = [], signal.getsignal(signal.SIGALRM)

    def ring():
        raise LookupError

    with alarm(0.01, ring):
        for _ in range(2):
            with pytest.raises(LookupError):
                wait_for(lambda: False)
    with alarm(0.01, lambda: rings.append(1)):
        wait_for(lambda: len(rings) > 2)
    assert signal.getsignal(signal.SIGALRM) is before


def test_one_that_was_set_further_out_rings_at_its_time():
    """The outer one rings while the inner one is set, and while the inner one rings."""
    outer, before = [], signal.getsignal(signal.SIGALRM)
    with alarm(0.1, lambda: outer.append(1)):
        with pytest.raises(Expired), alarm(60, lambda: None):
            alarmed(lambda: wait_for(lambda: False), 0.05)
        wait_for(lambda: outer)
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_call_that_ends_in_time_hears_nothing():
    """Its value or its error is its own, and no alarm is left."""
    before = signal.getsignal(signal.SIGALRM)
    assert alarmed(lambda: 3, 60) == 3
    with pytest.raises(ZeroDivisionError):
        alarmed(lambda: 1 / 0, 60)
    assert signal.getsignal(signal.SIGALRM) is before
