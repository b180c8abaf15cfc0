"""`flow.start`: a run that goes on in a thread of its own, and the handle on it."""

import asyncio
import gc
import os
import threading
import time
import weakref
from pathlib import Path

import pytest

from turgo import flow, task
from turgo.errors import (
    ExecutorStartError,
    ParameterError,
    RunError,
    StillRunningError,
    TaskFailedError,
    UnknownExecutorError,
)
from turgo.hooks import hookimpl
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source
from turgo.testing import ManualExecutor

pytestmark = pytest.mark.usefixtures("inline_as_local")

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor

LONG = 60.0  # seconds; what should take none


@task
def double(number):
    if number == "bad":
        raise ValueError("bad")
    return 2 * number


@task
def total(numbers):
    return sum(numbers)


@flow
def doubled(numbers):
    return total(double.map(numbers))


class Gate:
    """A flow whose first call waits, so that a test can look at a run that goes on."""

    def __init__(self):
        self.began, self.opened = threading.Event(), threading.Event()
        self.flow = flow(lambda: double.map([self.hold()]), name="gated")

    def hold(self):
        @task(name="hold")
        def hold():
            self.began.set()
            assert self.opened.wait(LONG)
            return 1

        return hold()


@pytest.fixture
def gate():
    """Open at the end of the test, whatever happened."""
    made = Gate()
    yield made
    made.opened.set()


def test_a_run_is_started_and_waited_for():
    """`wait` gives what `run` gives, as often as it is asked."""
    running = doubled.start([1, 2, 3])
    run = running.wait()
    assert run.ok and run.result == 12 and run.state is RunState.SUCCESS
    assert running.run is run is running.wait(LONG) and running.done
    assert running.counts() == {TaskState.SUCCESS: 4}
    assert run.values("double") == [2, 4, 6]


def test_task_runs_come_as_they_end_with_their_values():
    """While later calls have not begun."""
    executor = ManualExecutor()
    with executor.start(), doubled.start([1, 2], executor=executor) as running:
        seen = iter(running)
        for expected in (2, 4):
            _until(lambda: executor.calls)
            executor.run_next()
            task_run = next(seen)
            assert (task_run.name, task_run.state, task_run.value) == ("double", TaskState.SUCCESS, expected)
            assert not running.done and running.counts()[TaskState.SUCCESS] == task_run.index + 1
        _until(lambda: executor.calls)
        executor.run_next()
        assert [each.value for each in seen] == [6]
        assert running.wait().result == 6


def test_each_loop_over_a_run_gets_all_of_it():
    """Also when the run is over, and in the order in which they ended."""
    with doubled.start([3, "bad", 1]) as running:
        first = [(each.label, each.state) for each in running]
        assert [(each.label, each.state) for each in running] == first
    assert [(each.label, each.state) for each in running] == first
    assert sorted(first) == sorted((each.label, each.state) for each in running.run.task_runs)
    assert first[-1] == ("total", TaskState.TRIGGER_FAILED)


def test_a_task_that_fails_is_no_error_of_the_wait():
    """The run says so, as that of `run`."""
    running = doubled.start(["bad"])
    run = running.wait()
    assert not run.ok
    with pytest.raises(TaskFailedError):
        assert run.result


def test_a_wait_that_takes_too_long_leaves_the_run_alone(gate):
    """It raises a TimeoutError, and the run goes on."""
    running = gate.flow.start()
    assert gate.began.wait(LONG)
    with pytest.raises(StillRunningError, match="gated is not over after") as raised:
        running.wait(0.01)
    assert isinstance(raised.value, TimeoutError) and raised.value.seconds == 0.01
    assert not running.done
    gate.opened.set()
    assert running.wait(LONG).ok


def test_leaving_the_block_ends_the_run(gate):
    """It is cancelled, and over when the block is left."""
    with gate.flow.start() as running:
        assert gate.began.wait(LONG)
        threading.Timer(0.05, gate.opened.set).start()  # an inline call cannot be stopped
    assert running.done and running.run.state is RunState.CANCELLED
    assert TaskState.CANCELLED in running.counts()
    assert {each.state for each in running} == {each.state for each in running.run.task_runs}


def test_an_error_in_the_block_ends_the_run_too(gate):
    """And comes out of it, whatever the run raised."""
    with pytest.raises(ZeroDivisionError), gate.flow.start() as running:
        assert gate.began.wait(LONG)
        gate.opened.set()
        raise ZeroDivisionError
    assert running.done


def test_a_run_is_cancelled_by_its_handle(gate):
    """From any thread, and at once; what comes of it is waited for."""
    running = gate.flow.start()
    assert gate.began.wait(LONG)
    running.cancel()
    gate.opened.set()
    assert running.wait(LONG).state is RunState.CANCELLED
    running.cancel()
    assert [each.state for each in running if each.name == "double"] == [TaskState.CANCELLED]


def test_mistakes_are_raised_by_the_start():
    """Those that can be found before anything runs; no thread is left."""
    with pytest.raises(ParameterError):
        doubled.start(digits=[1])
    with pytest.raises(UnknownExecutorError):
        doubled.start([1], executor="locale")


class Broken(InlineExecutor):
    """It does not start."""

    def start(self):
        raise ExecutorStartError("no cluster")


def test_an_executor_that_does_not_start_is_told_to_who_waits_and_who_iterates():
    """Each time; not twice to who leaves the block."""
    with doubled.start([1], executor=Broken()) as running:
        for _ in range(2):
            with pytest.raises(ExecutorStartError, match="no cluster"):
                running.wait()
            with pytest.raises(ExecutorStartError, match="no cluster"):
                list(running)
        with pytest.raises(ExecutorStartError, match="no cluster"):
            asyncio.run(_awaited(running))
    assert running.run.state is RunState.FAILED


def test_an_executor_that_does_not_start_is_told_at_the_end_of_the_block_if_nowhere_else():
    """An error does not get lost."""
    with pytest.raises(ExecutorStartError, match="no cluster"), doubled.start([1], executor=Broken()):
        pass


def test_a_handle_that_is_dropped_lets_the_run_go_on(gate, capfd, recwarn):
    """It is collected before the run is over, and nothing is printed, failed or not."""
    heard = threading.Event()

    class Watch:
        @hookimpl
        def turgo_flow_finished(self, run):
            heard.set()

    handle = weakref.ref(gate.flow.start(observers=[Watch()]))
    gc.collect()
    assert handle() is None
    gate.opened.set()
    assert heard.wait(LONG)
    doubled.start([1], executor=Broken())
    _until(lambda: not [each for each in threading.enumerate() if each.name.startswith("turgo-doubled-")])
    gc.collect()
    assert capfd.readouterr() == ("", "") and not list(recwarn)


def test_two_runs_of_one_flow_go_on_at_once():
    """Each has its own task runs."""
    with doubled.start([1]) as one, doubled.start([5, 6]) as two:
        assert two.wait().result == 22 and one.wait().result == 2
        assert [len(list(each)) for each in (one, two)] == [2, 3]


def test_a_run_that_waits_for_itself_is_told_so():
    """An observer, or an inline task, would wait for ever."""
    said = []

    class Waits:
        @hookimpl
        def turgo_flow_started(self, run):
            ready.wait(LONG)
            for wait in (running.wait, lambda: list(running)):
                try:
                    wait()
                except RunError as error:
                    said.append(str(error))

    ready = threading.Event()
    running = doubled.start([1], observers=[Waits()])
    ready.set()
    assert running.wait(LONG).ok
    assert said == ["the run of doubled would wait for itself: it was asked for in its own thread"] * 2


def test_a_run_started_within_a_task_belongs_to_that_task():
    """It is over before the task is, on an executor of its own."""

    @task
    def outer():
        with doubled.start([1, 2], executor=InlineExecutor()) as running:
            return [each.value for each in running], running.wait().result

    assert flow(lambda: outer())() == ([2, 4, 6], 6)


def test_a_run_started_while_a_flow_is_recorded_is_none_of_its_tasks():
    """A task that it calls is called, and not recorded there."""

    @task
    def calls():
        return double(4)

    @flow
    def recorded():
        return double(flow(lambda: calls()).start().wait().result)

    run = recorded.run()
    assert run.result == 16 and len(run.task_runs) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_has_no_part_in_the_run(gate):
    """There it is an error to wait, leaving the block does nothing, and neither harms the parent's run."""
    with gate.flow.start() as running:
        assert gate.began.wait(LONG)
        child = os.fork()
        if not child:
            code = 1
            try:
                running.cancel()
                running.__exit__(None, None, None)
                running.wait()
            except RunError as error:
                code = 0 if "of which this is a fork" in str(error) else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        gate.opened.set()
        assert running.wait(LONG).ok


async def _awaited(running):
    return await running


def test_a_coroutine_waits_and_iterates_without_blocking_its_loop(gate):
    """Others of the loop go on meanwhile."""

    async def watch(running):
        labels = [each.label async for each in running]
        return labels, (await running).result

    async def main():
        async with gate.flow.start() as running:
            watches = [asyncio.create_task(watch(running)) for _ in range(2)]
            while not gate.began.is_set():
                await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_awaited(running), 0.01)
            assert not any(each.done() for each in watches)
            gate.opened.set()
            return await asyncio.gather(*watches)

    assert asyncio.run(main()) == [(["hold", "double[0]"], [2])] * 2


def test_a_coroutine_leaves_the_block_as_others_do(gate):
    """The run is over then."""

    async def main():
        async with gate.flow.start() as running:
            while not gate.began.is_set():
                await asyncio.sleep(0)
            gate.opened.set()
        return running

    assert asyncio.run(main()).done


def test_a_loop_that_is_closed_does_not_trouble_the_run(gate, capfd):
    """Whoever waited in it is gone."""

    async def main():
        waiting = asyncio.create_task(_awaited(running))
        await asyncio.sleep(0)
        return waiting

    running = gate.flow.start()
    loop = asyncio.new_event_loop()
    waiting = loop.run_until_complete(main())
    waiting._log_destroy_pending = False
    loop.close()
    gate.opened.set()
    assert running.wait(LONG).ok and capfd.readouterr().err == ""


def _until(condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)
