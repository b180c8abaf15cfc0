"""A batch that is under way when its run ends: what it still does, and what is known of what it did."""

import pickle
import re
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from turgo import Executor, current, flow, task
from turgo.engine.batching.budget import Batching
from turgo.engine.reports import Reports
from turgo.hooks import hookimpl
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source
from turgo.worker.outcomes import Report

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor


class Keeps:
    """An observer that has the run, so that whoever likes can cancel it."""

    @hookimpl
    def turgo_flow_started(self, run):
        self.run = run


class InThreads(Executor):
    """Each submission in a thread of its own, which nobody waits for."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        future.set_running_or_notify_cancel()
        threading.Thread(target=lambda: future.set_result(fn(*args, **kwargs)), daemon=True).start()
        return future


class BeginsLate(InlineExecutor):
    """Cancels the run, and begins with what it was given only then."""

    def __init__(self, watch):
        self.watch = watch

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self.watch.run.cancel()
        return super().submit(fn, *args, extra_context=extra_context, **kwargs)


@pytest.mark.parametrize("elements", [range(1000), None], ids=["map", "single"])
def test_a_batch_that_has_not_begun_when_its_run_is_cancelled_makes_no_call(elements):
    """Although it is with the executor already."""
    made, watch = [], Keeps()
    note = task(made.append, name="note")
    run = flow(lambda: note(1) if elements is None else note.map(elements)).run(
        executor=BeginsLate(watch), observers=[watch]
    )
    assert run.state is RunState.CANCELLED and made == []
    assert run.task_runs.counts().keys() == {TaskState.CANCELLED}


def test_a_report_of_no_call_at_all_gives_back_all_of_them(driven):
    """As of a batch that was halted before its first call, and whose end is heard of before that of the run."""
    note = task(lambda number: number, name="note")
    driving = driven(lambda: [note(0), note.map(range(10))])
    driving.know(note)
    pieces = driving.take()
    assert len(pieces) == 2
    taking_in = Reports(driving.schedule, Batching(), InlineExecutor())
    for some in (pieces, pieces[1:]):
        assert taking_in.apply(some, Report(("worker", 0.0, 0.0), [], [])) == 0
    driving.run()
    assert set(driving.states) == {"Success"}


@pytest.mark.parametrize("follows", [False, True], ids=["one map", "a map of a map"])
@pytest.mark.parametrize("others", [(), (range(100_000),)], ids=["one argument", "two"])
def test_what_was_over_in_another_thread_stays_over(others, follows):
    """A batch is halted while one of its calls hangs there: those before it have succeeded, with what they logged."""
    made, before, watch, release = [], [], Keeps(), threading.Event()

    @task
    def counted(number, *others):
        if number == 30_000:
            current().logger.warning("the last one")
            before.extend(each for each, thread in made if thread == threading.get_ident())
            watch.run.cancel()
            release.wait(60)
        made.append((number, threading.get_ident()))
        return number

    @task
    def first(number):
        return number

    def steps():
        numbers = range(100_000)
        counted.map(first.map(numbers) if follows else numbers, *others)

    run = flow(steps).run(executor=InThreads(), observers=[watch])
    done = [
        each.index for each in run.task_runs if each.name == "counted" and each.state is TaskState.SUCCESS
    ]
    assert run.state is RunState.CANCELLED and before[-1:] == [29_999] and set(before) <= set(done)
    assert set(done) <= {each for each, _ in made}, "more may have been over in the batch that ran beside it"
    release.set()
    (said,) = [each for each in run.task_runs if each.logs]
    assert (said.label, said.logs[0].message) == ("counted[30000]", "the last one")


def test_a_generator_is_no_value_either_of_a_batch_that_was_cut_short():
    """It is the failure of its call, as ever."""
    watch, release = Keeps(), threading.Event()

    @task
    def odd(number):
        if number == 3_000:
            watch.run.cancel()
            release.wait(60)
        return (each for each in ()) if number == 2_999 else number

    run = flow(lambda: odd.map(range(5_000))).run(executor=InThreads(), observers=[watch])
    release.set()
    states = [each.state for each in run.task_runs]
    assert states[:3_001] == [*[TaskState.SUCCESS] * 2_999, TaskState.FAILED, TaskState.CANCELLED]
    assert TaskState.CANCELLED in states[3_001:] and TaskState.FAILED not in states[3_001:]


@pytest.mark.parametrize("whole", [range(100_000), list(range(100_000)), tuple(range(100_000))])
def test_not_even_quick_calls_that_are_timed_together_begin(whole):
    """They may have been quick until now."""
    made, watch = [], Keeps()

    @task
    def counted(number):
        made.append(number)
        if number == 30_000:
            watch.run.cancel()

    flow(lambda: counted.map(whole)).run(executor=InlineExecutor(), observers=[watch])
    assert len(made) == 30_001


def test_a_call_that_runs_on_knows_what_it_is_and_is_heard():
    """A run that is cancelled while a task runs does not disturb it."""
    watch = Keeps()

    @task
    def cancels(number):
        watch.run.cancel()
        current().logger.warning("call %s runs on", current().index)
        return current().index

    run = flow(lambda: cancels.map(range(3))).run(executor=InlineExecutor(), observers=[watch])
    states = [each.state for each in run.task_runs]
    assert states == [TaskState.SUCCESS, TaskState.CANCELLED, TaskState.CANCELLED]
    assert [line.message for line in run.task_runs[0].logs] == ["call 0 runs on"]


class Crossing(InlineExecutor):
    """Everything goes through pickle, as it does to another process."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(fn, *pickle.loads(pickle.dumps(args)), **kwargs)


@pytest.mark.parametrize("executor", [InlineExecutor(), Crossing()], ids=["here", "in another process"])
@pytest.mark.parametrize("others", [(), (range(10_000),)], ids=["one argument", "two"])
def test_no_call_of_a_batch_begins_after_one_that_failed_if_the_run_is_to_fail_fast(
    tmp_path, executor, others
):
    """However many are in it. A skip is no failure, and one that is tried again ends no run."""
    file = tmp_path / "made"

    @task(retries=1)
    def breaks(file, number, *others):
        from turgo import Skip, current

        with open(file, "a") as made:
            made.write(f"{number} ")
        if number == 50:
            raise Skip("nothing to do")
        if number == 3_000 or (number == 60 and current().attempt == 1):
            raise ValueError(number)

    files = [str(file)] * 10_000
    run = flow(fail_fast=True)(lambda: breaks.map(files, range(10_000), *others)).run(executor=executor)
    made = [int(each) for each in file.read_text().split()]
    assert run.state is RunState.FAILED and re.match(
        r"breaks\[3000\] \(.* is Failed: ValueError: 3000", str(run.error)
    )
    assert sorted(made)[:62] == [*range(61), 60]
    assert made[-1] == 3_000 and made.count(3_000) == 2


class Interrupted(InlineExecutor):
    """The first submission is over when the second one is made, in which somebody presses Ctrl-C."""

    slots = 2

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if "first" not in self.__dict__:
            self.first, self.call = Future(), pickle.loads(pickle.dumps((fn, args)))
            return self.first
        fn, args = self.call
        self.first.set_result(fn(*args))
        raise KeyboardInterrupt


def test_a_report_that_is_there_is_taken_in_after_ctrl_c():
    """Its calls were over."""

    class Looks(Keeps):
        @hookimpl
        def turgo_flow_finished(self, run):
            self.states = [each.state for each in run.task_runs]

    watch = Looks()
    nothing = task(lambda number: number, name="nothing")
    with pytest.raises(KeyboardInterrupt):
        flow(lambda: [nothing(1), nothing(2)]).run(executor=Interrupted(), observers=[watch])
    assert watch.states == [TaskState.SUCCESS, TaskState.CANCELLED]
