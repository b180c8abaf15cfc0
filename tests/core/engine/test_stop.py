"""Ending a run early: who asks, which reason counts, and what is kept."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.engine.stop import Stop
from turgo.errors import RunCancelledError, RunTimeoutError, TaskFailedError
from turgo.hooks import hookimpl
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source
from turgo.worker.limits.alarm import alarm
from turgo.worker.mapped import HANDFUL_CALLS

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
    assert patient.deadline is None and stop.deadline is None
    thread_has_no_signals, left = [], []

    def body():
        with patient.watched(lambda: thread_has_no_signals.append("rang")):
            left.append(patient.deadline - time.perf_counter())
            patient.check()
        with stop.watched(lambda: thread_has_no_signals.append("rang")):
            time.sleep(0.1)
            left.append(stop.deadline - time.perf_counter())
            with pytest.raises(RunTimeoutError, match=r"longer than its 0\.05 s"):
                stop.check()

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert 0 < left[0] <= 60 and left[1] <= 0 and patient.why is None
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
    def turgo_flow_started(self, run):
        self.run = run

    @hookimpl
    def turgo_task_events(self, run, events):
        if any(each.task == self.task and each.state is TaskState.SUCCESS for each in events):
            run.cancel()


def test_a_flow_that_is_called_raises_that_it_was_cancelled():
    """`run` returns the run instead."""
    body = flow(lambda: noted(1))

    class Refuses:
        @hookimpl
        def turgo_flow_started(self, run):
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
        def turgo_flow_started(self, run):
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
    assert 30_001 <= len(made) <= 30_000 + HANDFUL_CALLS, "a handful of quick calls is under way together"
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


def test_a_handler_is_as_before_afterwards(monkeypatch):
    """Unless somebody has set another one meanwhile; in other threads nothing is touched."""
    before = signal.getsignal(signal.SIGINT)
    stop = Stop("numbers", None, lambda: None)
    with stop.hearing():
        assert signal.getsignal(signal.SIGINT) is not before
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before
    try:
        with stop.hearing():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    inside = []

    def elsewhere():
        with stop.hearing():
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert inside == [before]


def test_a_handler_of_the_users_that_does_not_interrupt_ends_no_run():
    """It may only count."""
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        stop = Stop("numbers", None, lambda: None)
        with stop.hearing():
            os.kill(os.getpid(), signal.SIGINT)
            stop.check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT] and not stop.interrupted


@task
def swallows(number):
    """Swallows a Ctrl-C that comes while it runs."""
    if number == 1:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except BaseException:  # noqa: BLE001, S110
            pass
    return number


class Finalized:
    """Hears Ctrl-C as it is freed, where Python discards whatever is raised."""

    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(100):  # the handler runs at one of these steps
            pass


@task
def frees(number):
    """Frees something that hears Ctrl-C."""
    if number == 1:
        Finalized()
    return number


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("loses", [swallows, frees])
@pytest.mark.parametrize("width", [2, 10_000])
def test_ctrl_c_whose_exception_is_lost_ends_the_run_all_the_same(loses, width):
    """In the first batch or in a later one, also if nothing is left to do."""
    done = []

    @task
    def last(numbers):
        done.append(numbers)

    @flow
    def losing():
        return last(loses.map(range(width)))

    runs = []

    class Watching:
        @hookimpl
        def turgo_flow_finished(self, run):
            runs.append(run)

    with pytest.raises(KeyboardInterrupt):
        losing.run(executor=InlineExecutor(), observers=[Watching()])
    assert runs[0].state is RunState.CANCELLED
    assert done == []


def test_ctrl_c_that_is_lost_in_the_last_call_is_heard_at_the_end():
    """Nothing is left to be cancelled; who pressed it wants the program to end."""

    @flow
    def losing():
        return swallows(1)

    with pytest.raises(KeyboardInterrupt):
        losing.run(executor=InlineExecutor())
