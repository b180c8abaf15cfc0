"""Ending a run early: who asks, which reason counts, and what is kept."""

import signal
import threading
import time
from pathlib import Path

import pytest

from penstock import flow, task
from penstock.engine.calling import alarm
from penstock.engine.spreading import HANDFUL
from penstock.engine.stopping import Stop
from penstock.errors import RunCancelledError, RunTimeoutError, TaskFailedError
from penstock.hooks import hookimpl
from penstock.sources import load_source
from penstock.states import RunState, TaskState

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor
signals = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="this system has no timer that sends SIGALRM"
)


class Rings(Exception):  # noqa: N818  (no error: it says which alarm rang)
    pass


@task
def noted(value, notes=None):
    return value


def test_the_first_reason_counts_and_everyone_who_asks_gives_notice():
    """A run that was cancelled has not timed out as well."""
    notices = []
    stop = Stop("numbers", None, lambda: notices.append(threading.get_ident()))
    stop.check()
    stop.cancel()
    stop.fail_fast()
    assert isinstance(stop.why, RunCancelledError) and not stop.failed_fast
    assert len(notices) == 2
    with pytest.raises(RunCancelledError, match="the run of numbers was cancelled"):
        stop.check()


def test_the_time_begins_with_the_watch():
    """Not when the flow was read, and there is no end without a timeout."""
    patient, stop = Stop("letters", 60, lambda: None), Stop("numbers", 0.05, lambda: None)
    assert patient.due_in() is None and stop.due_in() is None
    thread_has_no_signals, left = [], []

    def body():
        with patient.watched(lambda: thread_has_no_signals.append("rang")):
            left.append(patient.due_in())
            patient.check()
        with stop.watched(lambda: thread_has_no_signals.append("rang")):
            time.sleep(0.1)
            left.append(stop.due_in())
            with pytest.raises(RunTimeoutError, match=r"longer than its 0\.05 s"):
                stop.check()

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert 0 < left[0] <= 60 and left[1] == 0 and patient.why is None
    assert isinstance(stop.why, RunTimeoutError) and not thread_has_no_signals


@signals
@pytest.mark.parametrize(("outer", "inner", "first"), [(0.1, 10, "outer"), (10, 0.1, "inner")])
def test_of_two_alarms_the_earlier_rings_first(outer, inner, first):
    """Whichever was set within the other."""

    def ring(name):
        def rings():
            raise Rings(name)

        return rings

    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Rings, match=first), alarm(outer, ring("outer")), alarm(inner, ring("inner")):
        time.sleep(20)
    assert signal.getsignal(signal.SIGALRM) == before


@signals
def test_an_alarm_that_rings_as_it_is_set_leaves_nothing_behind():
    """The handler and the alarm around it are there again, whatever the line at which it rings."""

    def rings():
        raise Rings("early")

    before, rung = signal.getsignal(signal.SIGALRM), []
    with alarm(60, lambda: rung.append(1)):
        around = signal.getsignal(signal.SIGALRM)
        for _ in range(50):
            with pytest.raises(Rings, match="early"), alarm(0.0, rings):
                time.sleep(20)
            assert signal.getsignal(signal.SIGALRM) == around
            assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getsignal(signal.SIGALRM) == before and not rung


@signals
def test_an_alarm_of_the_users_own_rings_at_its_time():
    """Within one of ours, or after it."""
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with alarm(20, lambda: None):
            time.sleep(0.3)
        assert len(rung) == 1
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with alarm(20, lambda: None):
            time.sleep(0.01)
        time.sleep(0.4)
        assert len(rung) == 2
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left)


@signals
def test_an_alarm_that_is_not_heeded_rings_again():
    """Until what it is for is over."""
    rung, end = [], time.monotonic() + 20
    with alarm(0.05, lambda: rung.append(1)):
        while len(rung) < 3 and time.monotonic() < end:
            time.sleep(0.01)
    assert len(rung) >= 3


def timed_out(body, begun):
    """A run whose time was up once `begun` held something; a slow machine may need more of it to come so far."""
    for seconds in (0.2, 2, 20):
        begun.clear()
        run = flow(timeout=seconds)(body).run(executor=InlineExecutor())
        if begun:
            break
    return run


@signals
def test_a_task_that_catches_everything_cannot_outlast_its_run():
    """The run ends after it: nothing begins once the time is up."""
    begun = []

    @task
    def stubborn(value):
        try:
            begun.append(value)
            time.sleep(40)
        except BaseException:  # noqa: BLE001  (what a user may write)
            return "caught"

    run = timed_out(lambda: noted(stubborn(1)), begun)
    assert isinstance(run.error, RunTimeoutError)
    assert [each.state for each in run.task_runs] == [TaskState.SUCCESS, TaskState.CANCELLED]


class Cancels:
    """An observer that cancels the run when it hears of the end of a task."""

    def __init__(self, task):
        self.task = task

    @hookimpl
    def penstock_flow_started(self, run):
        self.run = run

    @hookimpl
    def penstock_task_events(self, run, events):
        if any(each.task == self.task and each.state is TaskState.SUCCESS for each in events):
            run.cancel()


def test_a_flow_that_is_called_raises_that_it_was_cancelled():
    """`run` returns the run instead."""
    body = flow(lambda: noted(1))

    class Refuses:
        @hookimpl
        def penstock_flow_started(self, run):
            run.cancel()

    run = body.run(executor=InlineExecutor(), observers=[Refuses()])
    assert (run.state, run.duration is not None) == (RunState.CANCELLED, True)
    slow = task(lambda: time.sleep(0.3), name="slow")
    with pytest.raises(RunTimeoutError):
        flow(timeout=0.05, executor=InlineExecutor())(lambda: slow())()


def test_an_observer_ends_the_run_that_it_watches():
    """What was over by then stays over."""

    @task(batch=False)
    def slowly(number):
        time.sleep(0.06)
        return number

    run = flow(lambda: slowly.map(range(10))).run(executor=InlineExecutor(), observers=[Cancels("slowly")])
    counts = run.task_runs.counts()
    assert run.state is RunState.CANCELLED
    assert 1 <= counts[TaskState.SUCCESS] < 10 and sum(counts.values()) == 10
    assert counts[TaskState.SUCCESS] + counts[TaskState.CANCELLED] == 10


def test_cancelling_a_run_that_is_over_or_was_never_begun_does_nothing():
    """From any thread, as often as one likes."""
    run = flow(lambda: noted(1)).run(executor=InlineExecutor())
    run.cancel()
    run.cancel()
    assert run.ok and run.result == 1


@pytest.mark.parametrize("numbers", [range(100_000), list(range(100_000))], ids=["range", "list"])
@pytest.mark.parametrize("others", [(), (range(100_000),)], ids=["one argument", "two"])
def test_a_batch_that_runs_here_stops_between_its_calls(numbers, others):
    """A map of which one call cancels the run: that call comes to its end, those after it do not begin."""
    made = []
    runs = []

    class Keeps:
        @hookimpl
        def penstock_flow_started(self, run):
            runs.append(run)

    @task
    def counted(number, *others):
        made.append(number)
        if number == 30_000:
            runs[0].cancel()
        return number

    @task
    def following(number):
        return number

    def steps():
        following.map(counted.map(numbers, *others))

    run = flow(steps).run(executor=InlineExecutor(), observers=[Keeps()])
    assert run.state is RunState.CANCELLED
    assert 30_001 <= len(made) <= 30_000 + HANDFUL, "a handful of quick calls is under way together"
    done = [each for each in run.task_runs if each.name == "counted" and each.state is TaskState.SUCCESS]
    assert len(done) == len(made), "what was over stays over"


def test_fail_fast_ends_the_run_with_the_failure():
    """And cancels what it cannot have caused."""

    @task
    def fails():
        raise ValueError("broken")

    def body():
        return fails(), [noted.with_options(batch=False)(number) for number in range(5)]

    run = flow(fail_fast=True)(body).run(executor=InlineExecutor())
    assert isinstance(run.error, TaskFailedError) and "fails is Failed: ValueError: broken" in str(run.error)
    assert run.state is RunState.FAILED
    assert run.task_runs.counts()[TaskState.CANCELLED] >= 3


@signals
def test_what_was_over_when_a_call_was_interrupted_stays_over():
    """Also the calls that travelled in the same batch before it: none that was made is Cancelled."""
    made, begun = [], []

    @task
    def slower(number):
        if number == 0:
            made.clear()
        if number == 3_000:
            begun.append(number)
            time.sleep(40)
        made.append(number)
        return number

    run = timed_out(lambda: slower.map(range(4_000)), begun)
    assert isinstance(run.error, RunTimeoutError)
    assert run.task_runs.counts()[TaskState.SUCCESS] == len(made) == 3_000
