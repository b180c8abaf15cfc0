"""What a task knows, returns and raises is the same on every executor."""

import asyncio
import sys

import cloudpickle
import pytest

from turgo import current, flow, task
from turgo.errors import TaskError
from turgo.records.states import TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "dask in threads", "file")


# What a task knows of its run.


def facts():
    here = current()
    return here.flow, here.task, here.index, here.attempt, here.logger.name


@task
def which(_=None):
    return facts()


@task
async def which_async():
    await asyncio.sleep(0)
    return facts(), await asyncio.to_thread(facts)


@task(timeout=20.0)
def which_limited(_):
    return facts()


def test_a_task_knows_which_task_run_it_is(executor):
    """Single, mapped over a constant and over results, async and in its threads, and with a limit of time."""

    @flow
    def all_kinds():
        return [which(), which.map([0, 0]), which.map([which()]), which_async(), which_limited.map([0, 0])]

    run = all_kinds.run(executor=executor)
    single, mapped, over_results, later, limited = run.result
    logger = "turgo.task.which"
    assert single == ("all_kinds", "which", None, 1, logger)
    assert mapped == [("all_kinds", "which", index, 1, logger) for index in (0, 1)]
    assert over_results == [("all_kinds", "which", 0, 1, logger)]
    assert later[0] == later[1] and later[0][1] == "which_async"
    assert [each[2] for each in limited] == [0, 1]


def test_the_id_of_the_run_is_that_of_the_record(executor):
    """So that a task can name a folder by it."""

    @task
    def run_id():
        return current().run_id

    @flow
    def ids():
        return run_id()

    run = ids.run(executor=executor)
    assert run.result == run.id


def test_the_attempt_counts_from_one(executor):
    """One more for each retry, of a single call and of an element; a sibling that did well is at its first."""

    @task(retries=2)
    def third_time(number):
        if number and current().attempt < 3:
            raise ValueError
        return current().attempt

    @flow
    def trying():
        return third_time(1), third_time.map([0, 1, 0])

    assert trying.run(executor=executor).result == (3, [1, 3, 1])


def test_a_flow_within_a_task_has_tasks_of_its_own(executor):
    """They know of the inner run; after it the task knows of its own again."""

    @flow
    def inner():
        return which()

    @task
    def outer():
        before = current()
        name = inner.run(executor="local").result[0]
        return name, before == current(), current().flow

    @flow
    def runs_outer():
        return outer()

    assert runs_outer.run(executor=executor).result == ("inner", True, "runs_outer")


# What it may return and raise.


async def soon():
    return 1


async def ticks():
    yield 1


@pytest.mark.parametrize(
    ("make", "kind"),
    [(lambda: (n for n in ()), "a generator"), (soon, "a coroutine"), (ticks, "an async generator")],
    ids=["generator", "coroutine", "async generator"],
)
def test_what_is_no_value_is_an_error_that_names_the_task(executor, make, kind):
    """Of the call that returned it, and of no other; what depends on it does not run."""

    @task
    def returns(number):
        return make() if number == 1 else number

    @flow
    def returning():
        return returns(1), returns.map(range(3)), which(returns(1))

    run = returning.run(executor=executor)
    good, bad = TaskState.SUCCESS, TaskState.FAILED
    assert [each.state for each in run.task_runs] == [bad, good, bad, good, bad, TaskState.TRIGGER_FAILED]
    error = run.task_runs[0].error
    assert type(error) is TypeError and str(error).startswith(f"returns returned {kind}")


class MadeError(Exception):
    """Makes its message itself, so that it would make another one when it is unpickled."""

    def __init__(self, code):
        super().__init__(f"code {code}")


class LyingError(Exception):
    """Becomes another one on its way."""

    def __reduce__(self):
        return (ValueError, ("a lie",))


@pytest.mark.parametrize(
    ("cls", "message"), [(MadeError, "code 7"), (LyingError, "7")], ids=["makes its message", "lies"]
)
def test_an_error_comes_home_as_itself_or_as_what_stands_in_for_it(executor, cls, message):
    """With its type's name, its message and its traceback."""

    @task
    def raises():
        raise cls(7)

    @flow
    def raising():
        return raises()

    run = raising.run(executor=executor)
    error = run.task_runs[0].error
    if isinstance(error, TaskError):
        assert error.type_name.endswith(cls.__qualname__) and str(error).endswith(f": {message}")
    else:
        assert type(error) is cls and str(error) == message
    assert "raise cls(7)" in run.task_runs[0].traceback


def test_errors_that_hold_more_than_a_message_come_home_whole(executor):
    """A byte that is no text, an exit code, an error from deep down; also as arguments of another task."""

    def down(depth):
        return down(depth - 1) if depth else b"\xff".decode("utf-8")

    @task
    def raises(kind):
        return sys.exit(3) if kind == "exit" else down(300 if kind == "deep" else 0)

    @task(trigger="all_finished")
    def told(error):
        return str(error), getattr(error, "code", None)

    @flow(reference=[told])
    def raising():
        return [told(raises("flat")), told(raises("exit")), told(raises("deep"))]

    run = raising.run(executor=executor)
    unread = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    assert run.result == [(unread, None), ("3", 3), (unread, None)]
    errors = [each.error for each in run.task_runs if each.error is not None]
    assert [type(each) for each in errors] == [UnicodeDecodeError, SystemExit, UnicodeDecodeError]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration])
def test_whatever_a_task_raises_is_its_own_failure(executor, error):
    """Also what would end a program: the other tasks run, and so does the driver."""

    @task
    def leaves(number):
        if number == 1:
            raise error("own")
        return number

    @flow
    def leaving():
        return leaves.map(range(3)), leaves(1)

    run = leaving.run(executor=executor)
    good, bad = TaskState.SUCCESS, TaskState.FAILED
    assert [each.state for each in run.task_runs] == [good, bad, good, bad]
    assert type(run.task_runs[1].error) is error
