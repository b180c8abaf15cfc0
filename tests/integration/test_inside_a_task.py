"""What a task knows, logs, prints, returns and raises is the same on every executor; its time is limited on each."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time

import cloudpickle
import pytest

from penstock import current, flow, get_executor, task
from penstock.errors import TaskError, TaskTimeoutError
from penstock.states import TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = {
    "local": ("local", {}),
    "threads": ("local_dask", {"scheduler": "threads", "num_workers": 2}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 2}),
    "synchronous": ("local_dask", {"scheduler": "synchronous"}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}}),
    "dask in threads": ("dask", {"cluster_kwargs": {"n_workers": 1, "processes": False}}),
}


@task(batch=False)
def nap(seconds):
    time.sleep(seconds)


@flow
def warming_up():
    return nap.map([0.05] * 4)


@pytest.fixture(
    scope="module", params=[pytest.param(e, marks=[pytest.mark.cluster] * ("dask" in e)) for e in ENGINES]
)
def executor(request):
    """Each executor, started."""
    name, options = ENGINES[request.param]
    with get_executor(name, **options).start() as opened:
        assert warming_up.run(executor=opened).ok  # pools that are made lazily are there from now on
        yield opened


class Told(logging.Handler):
    """What a handler of the driver hears, with the task that it came from."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        if hasattr(record, "task"):
            self.lines.append((record.task, record.task_index, record.levelname, record.getMessage()))


@pytest.fixture
def told():
    """A handler of the root logger, which stands at INFO as long."""
    root, handler = logging.getLogger(), Told()
    before = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


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
    logger = "penstock.task.which"
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


# Logs and prints.


def test_what_a_task_logs_is_heard_once_in_order_and_with_its_name(executor, told):
    """Also at a level that a worker process would not speak at by itself."""

    @task
    def speaks(number):
        current().logger.info("first %d", number)
        logging.getLogger("library").warning("second %d", number)
        logging.getLogger("library").debug("not wanted")
        current().logger.info("third %d", number)

    @flow
    def speaking():
        return speaks.map(range(3))

    run = speaking.run(executor=executor)
    for index in range(3):
        texts = [f"first {index}", f"second {index}", f"third {index}"]
        assert [line.message for line in run.task_runs[index].logs] == texts
        heard = [line for line in told.lines if line[1] == index]
        levels = ["INFO", "WARNING", "INFO"]
        assert heard == [("speaks", index, *each) for each in zip(levels, texts, strict=True)]
    assert len(told.lines) == 9


def test_a_level_of_the_driver_holds_on_workers_for_the_run_alone(executor, told):
    """A logger that the driver silences is silent there; in the next run it may speak again."""

    @task
    def chatters():
        logging.getLogger("chatty.part").info("blah")

    @flow
    def chattering():
        return chatters()

    chatty = logging.getLogger("chatty")
    chatty.setLevel(logging.ERROR)
    try:
        assert chattering.run(executor=executor).task_runs[0].logs == ()
    finally:
        chatty.setLevel(logging.NOTSET)
    assert [line.message for line in chattering.run(executor=executor).task_runs[0].logs] == ["blah"]


@task(log_prints=True)
def prints(number):
    print("one", number)
    current().logger.info("two %d", number)
    print("three\nfour", end="")
    print("!")
    sys.stdout.write("five")
    return number


@flow
def printing():
    return prints.map([0, 1])


def test_prints_become_lines_of_the_log(executor, told, capfd):
    """In order with what else it logs, one record for each line, and not printed besides."""
    stdout = sys.stdout
    run = printing.run(executor=executor)
    for index in (0, 1):
        texts = [f"one {index}", f"two {index}", "three", "four!", "five"]
        assert [line.message for line in run.task_runs[index].logs] == texts
        assert [line[3] for line in told.lines if line[1] == index] == texts
    assert all(line.logger == "penstock.task.prints" for line in run.task_runs[0].logs)
    assert capfd.readouterr().out == ""
    assert sys.stdout is stdout


def test_prints_are_never_lost(executor, capfd):
    """Where INFO is not wanted they are printed as ever, by the worker, and kept with the task run."""
    run = printing.run(executor=executor)
    assert [line.message for line in run.task_runs[0].logs] == ["one 0", "three", "four!", "five"]
    if str(os.getpid()) in run.task_runs[0].worker:  # workers that were there before cannot be heard
        words = [*["one", "0", "three", "four!", "five"], *["one", "1", "three", "four!", "five"]]
        assert sorted(capfd.readouterr().out.split()) == sorted(words)


def test_the_lines_that_are_kept_of_a_task_run_are_bounded(executor, told):
    """What is beyond is counted, in the last line."""

    @task
    def floods(count):
        for number in range(count):
            current().logger.info("line %d", number)

    @flow
    def flooding():
        return floods.map([3_000, 2])

    one, other = flooding.run(executor=executor).task_runs
    assert len(one.logs) == 1_001 and "2000 more line(s)" in one.logs[-1].message
    assert [line.message for line in other.logs] == ["line 0", "line 1"]


# What a task may return and raise.


def test_errors_and_none_are_values_as_any_other(executor):
    """An exception that is returned is no failure."""

    @task
    def gives(number):
        return [None, ValueError("a value"), KeyError][number]

    @flow
    def giving():
        return gives(0), gives.map(range(3)), task(repr)(gives(1))

    nothing, (none, error, cls), text = giving.run(executor=executor).result
    assert nothing is None and none is None and cls is KeyError
    assert type(error) is ValueError and error.args == ("a value",) and text == "ValueError('a value')"


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


# Limits of time.


def test_a_call_that_waits_in_c_does_not_hold_up_the_run(executor):
    """It is TimedOut, whether it can be stopped or only be left behind; those beside it and after it run."""

    @task(timeout=0.3)
    def waits(seconds):
        time.sleep(seconds)
        return seconds

    @flow
    def waiting():
        return waits.map([0, 40, 0]), which.after(waits(40)).with_options(trigger="all_finished")()

    began = time.monotonic()
    run = waiting.run(executor=executor)
    assert time.monotonic() - began < 15
    states = {each.label: each.state for each in run.task_runs}
    assert states["waits[0]"] is states["waits[2]"] is states["which"] is TaskState.SUCCESS
    assert states["waits[1]"] is states["waits"] is TaskState.TIMED_OUT
    assert all(isinstance(each.error, TaskTimeoutError) for each in run.task_runs if each.error)


def test_the_time_of_a_task_is_up_whatever_it_makes_of_that(executor):
    """One that runs a flow ends with it; one that holds on to what stops it, or fails as it cleans up, is late too."""

    @task
    def nap():
        time.sleep(0.1)

    @flow
    def naps():
        return [nap() for _ in range(300)]

    @task(timeout=0.3)
    def runs_a_flow():
        return str(naps.run(executor="local").state)

    @task(timeout=0.3)
    def holds_on():
        try:
            time.sleep(1)
        except BaseException:  # noqa: BLE001  (as some do)
            return "it went on"

    @task(timeout=0.3)
    def fails_then():
        try:
            time.sleep(1)
        finally:
            raise ConnectionError("it was open")

    @flow
    def late():
        return runs_a_flow(), holds_on(), fails_then()

    began = time.monotonic()
    run = late.run(executor=executor)
    assert time.monotonic() - began < 15
    assert [each.state for each in run.task_runs] == [TaskState.TIMED_OUT] * 3


LEFT_BEHIND = """
import time
from penstock import flow, get_executor, task

@task(timeout=0.2)
def waits():
    time.sleep(60)

@flow
def waiting():
    return waits()

executor = get_executor("local_dask", scheduler="threads", num_workers=2)
assert "hard_timeouts" not in executor.capabilities
print(waiting.run(executor=executor).task_runs[0].state)
"""


def test_a_call_that_was_left_behind_does_not_keep_python_alive():
    """The program ends, although a thread of it waits in C."""
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", LEFT_BEHIND], capture_output=True, text=True, timeout=50)
    assert (done.stdout, done.returncode) == ("TimedOut\n", 0), done.stderr
    assert time.monotonic() - began < 40


def test_prints_of_other_threads_are_their_own(told, capfd):
    """While a task prints to its log, what the program prints meanwhile goes where it always goes."""
    printed, both = threading.Event(), threading.Barrier(2)

    @task(log_prints=True)
    def waits():
        print("from the task")
        both.wait(20)
        printed.wait(20)

    @flow
    def waiting():
        return waits()

    def meanwhile():
        both.wait(20)
        print("from the program")
        printed.set()

    thread = threading.Thread(target=meanwhile)
    thread.start()
    run = waiting.run(executor="local")
    thread.join()
    assert [line.message for line in run.task_runs[0].logs] == ["from the task"]
    assert capfd.readouterr().out == "from the program\n"
