"""The time limit of a check: what blocks is interrupted, and the limit says where it was."""

import signal
import threading
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source
from turgo.testing import ExecutorConformance
from turgo.testing.checks import ContractBroken
from turgo.testing.observed.deadline import Overdue, deadline

hanging = load_source(Path(__file__).parents[1] / "hanging_executors.py")


def test_what_blocks_is_interrupted_and_the_place_is_named():
    """An exception comes out of the wait, and no handler of ours is left."""
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Overdue, match=r"did not end within 0\.05 s: it was in .*\.py"), deadline(0.05):
        threading.Event().wait()
    assert signal.getsignal(signal.SIGALRM) is before


def test_the_timer_of_somebody_else_goes_on():
    """A plugin of pytest may limit the test in the same way."""
    before = signal.setitimer(signal.ITIMER_REAL, 1000.0)
    try:
        with deadline(100.0):
            assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100.0
        assert 100.0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)


def test_outside_the_main_thread_nothing_is_limited():
    """A signal reaches the main thread alone, so no timer is set."""
    timers = []

    def body():
        before = signal.getitimer(signal.ITIMER_REAL)[0]
        with deadline(0.01):
            timers.append(signal.getitimer(signal.ITIMER_REAL)[0] <= before)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert timers == [True]


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [hanging.LosesCalls, hanging.NeverLeaves, hanging.NeverEnters])
def test_a_suite_goes_on_after_an_executor_that_hangs(wrong):
    """Its check fails with the rule, and once enough patience is used up the others are not run."""
    suite = type("Suite", (ExecutorConformance,), {"executor": wrong, "patience": 0.5, "load": 100})
    suite.setup_class()
    try:
        with pytest.raises(ContractBroken, match=r"did not end within|TimeoutError|left behind"):
            suite().test_starts_again()
        while not suite.subject.lost_patience():
            with pytest.raises(ContractBroken):
                suite().test_starts_again()
        with pytest.raises(pytest.skip.Exception, match="has used up the patience"):
            suite().test_arguments_arrive()
    finally:
        suite.subject.discard(suite.bound())
