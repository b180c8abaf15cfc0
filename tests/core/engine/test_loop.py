"""The loop: what it submits at once, what it waits for, and that an executor which loses everything ends it."""

import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager

import pytest

from turgo import flow, task
from turgo.errors import ExecutorError
from turgo.executor import Executor

pytestmark = pytest.mark.usefixtures("inline_as_local")


class Recorded(Executor):
    """Runs each batch as it is submitted; knows the hints of all, and in which threads they came."""

    def __init__(self, *, width=1, error=None):
        self.width = width
        self.error = error

    @property
    def slots(self):
        return self.width

    @contextmanager
    def start(self):
        self._contexts = []
        self._threads = set()
        yield self

    @property
    def contexts(self):
        return self._contexts

    @property
    def threads(self):
        return self._threads

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        self._contexts.append(dict(extra_context or {}))
        self._threads.add(threading.current_thread())
        if self.error is not None:
            raise self.error
        future = Future()
        future.set_running_or_notify_cancel()
        future.set_result(fn(*args, **kwargs))
        return future


@task(tags=["web"])
def one(value=0):
    """A call with a tag."""
    return value


@task(retries=2, retry_delay=0.01)
def stubborn(failures):
    """Fails so often."""
    if failures:
        failures.pop()
        raise ValueError("again")
    return "done"


@flow
def ones(count):
    """Independent calls."""
    return one.map(range(count))


def test_a_call_is_submitted_with_its_name_tags_and_index():
    """Of a batch those of its first call, the index only where it is alone; with the id of the run."""
    executor = Recorded()
    with executor.start():
        run = ones.run(3, executor=executor)
        first = executor.contexts[0]
    assert run.result == [0, 1, 2]
    assert first["task_name"] == "one" and first["task_index"] == 0 and "web" in first["task_tags"]
    assert all(context["run_id"] == run.id for context in executor.contexts)


@task
def nap(value):
    """A call that takes a while."""
    time.sleep(0.02)
    return value


def test_a_call_is_submitted_with_how_long_others_of_its_task_took():
    """Once one of them is over: of the first call nobody knows."""

    @flow
    def naps():
        return nap.map(range(12))

    with Recorded(width=4).start() as executor:
        naps.run(executor=executor)
        first, *others = executor.contexts
    assert "task_seconds" not in first
    assert others and all(0.02 <= each["task_seconds"] < 12 for each in others)


def test_a_call_that_goes_alone_is_submitted_with_its_seconds_too():
    """As it asks for it."""

    @flow
    def naps():
        return nap.with_options(batch=False).map(range(12))

    with Recorded(width=4).start() as executor:
        naps.run(executor=executor)
        first, *others = executor.contexts
    assert "task_seconds" not in first and len(others) == 11
    assert all(0.02 <= each["task_seconds"] < 0.2 for each in others)


def test_one_thread_submits_everything():
    """That of whoever runs the flow."""
    executor = Recorded(width=4)
    with executor.start():
        assert ones.run(50, executor=executor).ok
        assert executor.threads == {threading.current_thread()}


def test_the_first_calls_of_a_task_that_is_slow_do_not_wait_for_each_other():
    """A batch of which nothing was known stops after the first of them; the others are submitted again."""
    batches = []

    @task
    def slow_at_first(value):
        if value == 0:
            time.sleep(0.01)
        return value

    class Watched(Recorded):
        def submit(self, fn, batch, /, *args, **kwargs):
            future = super().submit(fn, batch, *args, **kwargs)
            batches.append((batch.pieces[0].high, len(batch.outcomes[0].values)))
            return future

    run = flow(lambda: slow_at_first.map(range(4000))).run(executor=Watched(width=2))
    assert run.result == list(range(4000))
    assert batches[0] == (10, 1)


def test_a_retry_is_submitted_when_it_is_due():
    """Nothing else is ready: the loop waits for it."""

    @flow
    def retried():
        return stubborn([1, 2])

    run = retried.run(executor="local")
    assert run.result == "done" and len(run.task_runs[0].attempts) == 3


def test_an_error_of_submit_fails_the_batch():
    """It may be the pickler's, of what the user gave; the others are submitted."""

    @flow
    def mixed():
        return one()

    run = mixed.run(executor=Recorded(error=TypeError("cannot pickle this")))
    assert [str(each.state) for each in run.task_runs] == ["Failed"]
    assert "cannot pickle this" in str(run.task_runs[0].error)


def test_an_executor_that_is_not_itself_ends_the_run():
    """An ExecutorError says that nothing can be run on it: no call of the run is tried."""
    executor = Recorded(error=ExecutorError("closed by somebody"))
    with executor.start():
        with pytest.raises(ExecutorError, match="closed by somebody"):
            ones.run(3, executor=executor)
        assert len(executor.contexts) == 1
