"""Flows do the same on every executor: results, failures, retries, logs, and each call once."""

import asyncio
import functools
import logging
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import cloudpickle
import pytest

from penstock import Skip, flow, get_executor, task, unmapped
from penstock import executor as contract
from penstock.errors import TaskFailedError, TaskTimeoutError, ValueNotPortableError, WorkerLostError
from penstock.states import RunState, TaskState

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = {
    "local": ("local", {}),
    "threads": ("local_dask", {"scheduler": "threads", "num_workers": 2}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 2}),
    "synchronous": ("local_dask", {"scheduler": "synchronous"}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}, "debug": False}),
    "file": (None, {"workers": 2}),
}
IN_PROCESS = {"local", "threads", "synchronous", "file"}
PARALLEL = {"threads", "processes", "dask", "file"}


@task
def plus(number, more=1):
    return number + more


@task
def numbers(count):
    return list(range(count))


@task
def total(values):
    return sum(values)


@task
def nap(seconds):
    time.sleep(seconds)
    return seconds


@flow
def warming_up():
    return total(nap.with_options(batch=False).map([0.05] * 4))


@pytest.fixture(scope="session")
def threads_file(tmp_path_factory):
    """The executor that the docstring of the contract shows, in a file of its own."""
    text = contract.__doc__.split("threads.py:ThreadsExecutor`::\n\n", 1)[1].split("\n`submit` is", 1)[0]
    file = tmp_path_factory.mktemp("file") / "threads.py"
    file.write_text("\n".join(line.removeprefix("    ") for line in text.splitlines()))
    return f"{file}:ThreadsExecutor"


@pytest.fixture(
    scope="module", params=[pytest.param(e, marks=[pytest.mark.cluster] * (e == "dask")) for e in ENGINES]
)
def engine(request, threads_file):
    """The name under which the tests know the executor, and the started executor."""
    name, options = ENGINES[request.param]
    with get_executor(name or threads_file, **options).start() as executor:
        assert warming_up.run(executor=executor).ok  # pools that are made lazily are there from now on
        yield request.param, executor


@pytest.fixture
def executor(engine):
    return engine[1]


def states(run, name=None):
    return [each.state for each in run.task_runs if name in (None, each.name)]


def note(path, text):
    """One line in a file, written at once, from whichever process."""
    with open(path, "ab", buffering=0) as file:
        file.write(f"{text}\n".encode())


# What flows give.


def test_the_result_has_the_shape_that_was_returned(executor):
    """Values stand where results were returned, in containers of every kind, mapped results as lists."""

    @flow
    def shapes():
        one = plus(0)
        many = plus.map(range(3))
        return {"a": [one, (one, 7)], "b": {"c": many}, "d": many[1], "e": None, "f": {"x"}}

    expected = {"a": [1, (1, 7)], "b": {"c": [1, 2, 3]}, "d": 2, "e": None, "f": {"x"}}
    assert shapes.run(executor=executor).result == expected


def test_named_default_and_nested_arguments(executor):
    """Arguments by name, by default and inside containers reach the function as they were meant."""

    @task
    def show(first, *rest, last="last", **more):
        return first, rest, last, more

    @flow
    def calls():
        one = plus(0)
        return [show(one), show(1, one, 3), show([one, {"k": (one,)}], last=one, other={2, 3})]

    assert calls.run(executor=executor).result == [
        (1, (), "last", {}),
        (1, (1, 3), "last", {}),
        ([1, {"k": (1,)}], (), 1, {"other": {2, 3}}),
    ]


def test_maps_of_every_kind(executor):
    """Static, dynamic, zipped, chained, unmapped, empty, over results and over a generator."""

    @flow
    def maps():
        static = plus.map(range(5))
        return {
            "chained": plus.map(plus.map(static)),
            "dynamic": plus.map(numbers(4), more=unmapped(10)),
            "zipped": plus.map(static, numbers(3)),
            "listed": plus.map([plus(1), plus(2)]),
            "generated": plus.map(n * n for n in range(3)),
            "empty": total(plus.map(numbers(0))),
            "fixed": plus.map(range(2), unmapped(total(static))),
        }

    assert maps.run(executor=executor).result == {
        "chained": [3, 4, 5, 6, 7],
        "dynamic": [10, 11, 12, 13],
        "zipped": [1, 3, 5],
        "listed": [3, 4],
        "generated": [1, 2, 5],
        "empty": 0,
        "fixed": [15, 16],
    }


class Scale:
    """A callable with state, and a task among its methods."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, number):
        return self.factor * number

    @task
    def scaled(self, number):
        return self.factor * number


def test_tasks_of_every_kind(executor):
    """Async functions, methods, partials, lambdas, closures and callable objects are tasks like any other."""
    offset = 100

    @task
    async def later(number):
        await asyncio.sleep(0.001)
        return number + 1

    @flow
    def kinds():
        return [
            later(1),
            later.map(range(3)),
            Scale(3).scaled(2),
            Scale(3).scaled.map([1, 2]),
            task(functools.partial(pow, 2))(5),
            task(lambda number: number + offset)(1),
            task(Scale(5))(2),
            task(max)([3, 9, 4]),
        ]

    assert kinds.run(executor=executor).result == [2, [1, 2, 3], 6, [3, 6], 32, 101, 10, 9]


def test_values_of_every_kind(executor):
    """None, an exception as a value, a class and something large come back as they are."""

    @task
    def values():
        return [None, ValueError("a value"), Scale, b"x" * 3_000_000]

    @flow
    def odd():
        return values()

    nothing, error, cls, large = odd.run(executor=executor).result
    assert nothing is None and error.args == ("a value",) and cls(2)(3) == 6 and len(large) == 3_000_000


def test_flows_within_flows_and_recursion_that_ends(executor):
    """A flow called in a flow records there; one may call itself as often as its parameters say."""

    @flow
    def down(depth):
        return plus(down(depth - 1)) if depth else plus(0)

    @flow
    def outer():
        return down(20)

    assert outer.run(executor=executor).result == 21


def test_a_reduce_that_sorts_in_place_sorts_its_own_list(executor):
    """What a task does to the list that it is given does not reach the others."""

    @task
    def pop_all(values):
        count = len(values)
        values.clear()
        return count

    @flow
    def rude():
        many = plus.map(range(20))
        return [pop_all(many), pop_all(many), total(many), many]

    for _ in range(2):
        assert rude.run(executor=executor).result == [20, 20, 210, list(range(1, 21))]


# Executions.


def test_each_call_runs_once(executor, tmp_path):
    """Maps, chains and reduces of quick calls: every function is called exactly once for each task run."""
    file = str(tmp_path / "notes")

    @task
    def noted(number, name):
        note(file, f"{name} {number}")
        return number

    @flow
    def much():
        first = noted.map(range(200), unmapped("map"))
        second = noted.map(first, unmapped("again"))
        value = noted(total(second), "sum")
        for at in range(20):
            value = noted(value, f"chain{at}")
        return value

    run = much.run(executor=executor)
    assert run.result == 19900
    counted = Counter(Path(file).read_text().splitlines())
    assert set(counted.values()) == {1}
    assert len(counted) == 421
    assert run.task_runs.counts() == {TaskState.SUCCESS: 422}


def test_independent_calls_overlap(engine):
    """Two calls that sleep run at the same time wherever the executor runs several."""
    name, executor = engine
    if name not in PARALLEL:
        pytest.skip("one call after the other")

    @task
    def span():
        began = time.time()
        time.sleep(0.4)
        return began, time.time()

    @flow
    def two():
        return [span(), span()]

    one, other = two.run(executor=executor).result
    assert max(one[0], other[0]) < min(one[1], other[1])


# Failures.


def fail_with(number):
    if number == 3:
        raise KeyError("three")
    return number


def test_a_failure_fails_what_depends_on_it_and_nothing_else(executor):
    """The element and what follows it, not its siblings; the error has type, message and traceback of the task."""

    @flow
    def broken():
        first = task(fail_with).map(range(6))
        return {"good": total(plus.map(range(3))), "bad": plus.map(first)}

    run = broken.run(executor=executor)
    assert run.state is RunState.FAILED and not run.ok
    assert states(run, "fail_with") == [TaskState.SUCCESS] * 3 + [TaskState.FAILED] + [TaskState.SUCCESS] * 2
    after = [each.state for each in run.task_runs if each.name == "plus"]
    assert after == [TaskState.SUCCESS] * 6 + [TaskState.TRIGGER_FAILED] + [TaskState.SUCCESS] * 2
    assert states(run, "total") == [TaskState.SUCCESS]
    failed = next(each for each in run.task_runs if each.state is TaskState.FAILED)
    assert failed.index == 3 and type(failed.error) is KeyError and failed.error.args == ("three",)
    assert "in fail_with" in failed.traceback and failed.traceback.rstrip().endswith("KeyError: 'three'")
    followed = next(each for each in run.task_runs if each.state is TaskState.TRIGGER_FAILED)
    assert followed.attempts == () and followed.started is None
    with pytest.raises(
        TaskFailedError, match=r"plus\[3\] is TriggerFailed, since fail_with\[3\] is Failed"
    ) as caught:
        _ = run.result
    assert (caught.value.task, caught.value.index, caught.value.state) == ("plus", 3, "TriggerFailed")
    assert type(caught.value.__cause__) is KeyError


def test_skips_pass_downstream_and_leave_lists(executor):
    """A skipped element is left out of the list, skips what follows it, and fails nothing."""

    @task
    def even(number):
        if number % 2:
            raise Skip("odd")
        return number

    @flow
    def skipping():
        evens = even.map(range(6))
        return [evens, total(evens), plus.map(evens), even(1), plus(even(3))]

    run = skipping.run(executor=executor)
    assert run.ok
    assert run.result == [[0, 2, 4], 6, [1, 3, 5], None, None]


class OddError(Exception):
    """Cannot be made from its `args`."""

    def __init__(self, code, reason):
        super().__init__(f"{code}: {reason}")
        self.code = code


class LockedError(Exception):
    """Holds what cannot be pickled."""

    def __init__(self, message):
        super().__init__(message)
        self.lock = threading.Lock()


def test_errors_that_cannot_travel_fail_their_own_task(executor):
    """Exceptions with odd constructors and with unpicklable parts come home with type name and message."""

    @task
    def odd(number):
        if number == 1:
            raise OddError(7, "odd constructor")
        if number == 2:
            raise LockedError("holds a lock")
        return number

    @flow
    def odds():
        return odd.map(range(4))

    run = odds.run(executor=executor)
    assert states(run) == [TaskState.SUCCESS, TaskState.FAILED, TaskState.FAILED, TaskState.SUCCESS]
    one, two = run.task_runs[1], run.task_runs[2]
    assert "7: odd constructor" in str(one.error) and "OddError" in f"{type(one.error).__name__} {one.error}"
    assert "holds a lock" in str(two.error) and "LockedError" in f"{type(two.error).__name__} {two.error}"
    assert "in odd" in one.traceback and "in odd" in two.traceback


class Connection:
    def __init__(self):
        self.name = "db"
        self.lock = threading.Lock()


class OneWay:
    """Can be pickled, but not unpickled."""

    def __reduce__(self):
        return (int, ("no number",))


def test_values_that_cannot_travel_fail_their_own_task(engine, tmp_path):
    """The attribute that cannot be pickled is named, and the other calls keep their values and run once."""
    name, executor = engine
    file = str(tmp_path / "notes")

    @task
    def open_one(number):
        note(file, number)
        return {"conn": Connection()} if number == 2 else OneWay() if number == 4 else number

    @flow
    def opens():
        return [plus.map([n]) if n in (2, 4) else n for n in range(1)], open_one.map(range(6))

    run = opens.run(executor=executor)
    assert Counter(Path(file).read_text().split()) == Counter(map(str, range(6)))
    if name in IN_PROCESS:
        assert run.ok
        return
    good, bad = TaskState.SUCCESS, TaskState.FAILED
    assert states(run, "open_one") == [good, good, bad, good, bad, good]
    errors = [each.error for each in run.task_runs if each.error]
    assert all(type(error) is ValueNotPortableError for error in errors)
    assert "['conn'].lock" in str(errors[0])
    assert "OneWay" in str(errors[1])


def test_arguments_and_functions_that_cannot_travel_fail_their_own_task(engine):
    """The error names task and place; what does not need them goes on."""
    name, executor = engine
    lock = threading.Lock()

    @task
    def uses(value):
        return 1

    @task
    def holds():
        return lock.locked()

    @flow
    def locked():
        return [uses(Connection()), holds(), plus(1), uses.map([1, Connection(), 3])]

    run = locked.run(executor=executor)
    assert states(run, "plus") == [TaskState.SUCCESS]
    if name in IN_PROCESS:
        assert run.ok
        return
    one, two, _, *elements = run.task_runs
    assert one.state is TaskState.FAILED and "uses" in str(one.error) and "lock" in str(one.error)
    assert two.state is TaskState.FAILED and "the function of holds" in str(two.error)
    assert [each.state for each in elements] == [TaskState.SUCCESS, TaskState.FAILED, TaskState.SUCCESS]


# Retries, timeouts, triggers.


def test_retries_run_again_and_are_told_as_attempts(executor, tmp_path):
    """A call that fails at first succeeds in its third attempt, single and mapped; no sibling runs again."""

    @task(retries=2)
    def flaky(number):
        file = tmp_path / str(number)
        note(file, "x")
        if number % 2 and len(file.read_text().split()) < 3:
            raise OSError("not yet")
        return number

    @flow
    def tries():
        return [flaky(11), flaky.map(range(4))]

    run = tries.run(executor=executor)
    assert run.result == [11, [0, 1, 2, 3]]
    assert [len(each.attempts) for each in run.task_runs] == [3, 1, 3, 1, 3]
    assert all(each.error is None and each.traceback == "" for each in run.task_runs)
    first = run.task_runs[0].attempts
    assert [type(each.error) for each in first] == [OSError, OSError, type(None)]
    assert all(each.duration >= 0 and each.worker for each in first)


class UnmakeableError(ConnectionError):
    """An error that pickle cannot make again, so that a stand-in comes home from other processes."""

    def __init__(self, host, port):
        super().__init__(f"{host}:{port}")


def test_only_the_errors_that_a_task_names_are_retried(executor):
    """By type, by a type that they derive from, by predicate; also errors that cannot be pickled; timeouts too."""

    @task(retries=2)
    def fails(number):
        raise UnmakeableError("db", 1) if number else KeyError("x")

    @task(retries=1, timeout=0.2)
    def slow():
        while True:
            time.sleep(0.01)

    @flow
    def choosy():
        named = [UnmakeableError, ConnectionError, [ValueError, OSError], lambda error: "db:1" in str(error)]
        for retry_on in [*named, ValueError, lambda error: False]:
            fails.with_options(retry_on=retry_on)(1)
        fails.with_options(retry_on=ConnectionError).map([0, 1, 0, 1])
        slow.with_options(retry_on=TimeoutError)()
        slow.with_options(retry_on=ConnectionError)()

    run = choosy.run(executor=executor)
    assert [len(each.attempts) for each in run.task_runs] == [3, 3, 3, 3, 1, 1, 1, 3, 1, 3, 2, 1]
    assert states(run, "slow") == [TaskState.TIMED_OUT] * 2


def test_a_run_explains_itself(executor):
    """What failed, what did not run for it, and what was skipped, in the same words everywhere."""

    @task(retries=1)
    def odd(number):
        if number == 3:
            raise ValueError("three")
        if number == 4:
            raise Skip("four")
        return number

    @flow
    def broken():
        return total(plus.map(odd.map(range(5))))

    run = broken.run(executor=executor)
    lines = run.explain("total").splitlines()
    assert lines[0].startswith("total is TriggerFailed: it did not run, as its trigger all_successful")
    assert lines[1].startswith("plus[3] is TriggerFailed") and len(lines) == 3
    assert lines[2].startswith("odd[3] is Failed: ValueError: three, in attempt 2, after ")
    assert run.explain("plus[4]").splitlines()[1].startswith("odd[4] is Skipped: Skip: four")


def test_the_named_tasks_decide_the_state_of_a_run(executor):
    """Not the leaves, not what is returned."""

    @task
    def bad():
        raise ValueError("bad")

    @flow(reference=[total])
    def named():
        return total([1, 2]), bad()

    assert named.run(executor=executor).state is RunState.SUCCESS
    assert flow(reference=["bad"])(named.fn).run(executor=executor).state is RunState.FAILED


def test_a_waiting_retry_holds_no_worker(executor, tmp_path):
    """While a call waits for its second try, others run, and many that wait do so together."""

    @task(retries=1, retry_delay=0.5)
    def late(number):
        file = tmp_path / str(number)
        note(file, "x")
        if len(file.read_text().split()) < 2:
            raise OSError("not yet")
        return time.time()

    @flow
    def waiting():
        return late.map(range(10)), nap.map([0.0] * 3)

    began = time.monotonic()
    assert waiting.run(executor=executor).ok
    assert time.monotonic() - began < 4


def test_a_timeout_ends_the_call(engine):
    """A call that takes too long is TimedOut soon after; those beside it are not harmed."""
    _, executor = engine

    @task(timeout=0.3)
    def stuck(number):
        end = time.monotonic() + (20 if number == 1 else 0)
        while time.monotonic() < end:
            time.sleep(0.01)
        return number

    @flow
    def slow():
        return stuck.map(range(3)), stuck(5)

    began = time.monotonic()
    run = slow.run(executor=executor)
    assert time.monotonic() - began < 10
    assert states(run) == [TaskState.SUCCESS, TaskState.TIMED_OUT, TaskState.SUCCESS, TaskState.SUCCESS]
    error = run.task_runs[1].error
    assert type(error) is TaskTimeoutError and error.seconds == 0.3 and "stuck" in str(error)


def test_triggers_and_order(executor):
    """`any_failed` runs for a failure only, `all_finished` gets the error as its argument, `after` orders."""

    @task(trigger="any_failed")
    def alarm(value):
        return f"alarm: {type(value).__name__}"

    @task(trigger="all_finished")
    def anyway(value):
        return type(value).__name__

    @flow
    def triggered():
        bad, good = task(fail_with)(3), task(fail_with)(2)
        return [
            alarm(bad),
            anyway(bad),
            anyway(alarm(good)),
            plus.after(bad).with_options(trigger="all_failed")(1),
        ]

    run = triggered.run(executor=executor)
    assert run.result == ["alarm: KeyError", "KeyError", "NoneType", 2]
    assert run.ok


# Logs, records, runs.


def test_logs_reach_the_driver_with_their_task_run(executor, caplog):
    """What calls log is kept with the task run that logged it, and the driver's handlers hear of it once."""

    @task
    def speaks(number):
        logging.getLogger("speaker").warning("number %d", number)
        return number

    @task(timeout=20.0)
    def limited():
        logging.getLogger("speaker").error("with a limit")

    @task
    async def asynchronous():
        logging.getLogger("speaker").error("on a loop")

    @flow
    def speaking():
        return speaks.map(range(5)), speaks(17), limited(), asynchronous()

    with caplog.at_level(logging.WARNING):
        run = speaking.run(executor=executor)
    texts = [[line.message for line in each.logs] for each in run.task_runs]
    expected = [
        "number 0",
        "number 1",
        "number 2",
        "number 3",
        "number 4",
        "number 17",
        "with a limit",
        "on a loop",
    ]
    assert texts == [[text] for text in expected]
    line = run.task_runs[0].logs[0]
    assert (line.logger, line.level) == ("speaker", logging.WARNING) and abs(line.time - time.time()) < 60
    heard = Counter(record.getMessage() for record in caplog.records if record.name == "speaker")
    assert heard == Counter(expected)


def test_records_tell_when_where_and_how_long(executor):
    """Started, duration and worker of each task run are those of its call."""

    @flow
    def two():
        return nap(0.2), nap.map([0.0, 0.1])

    began = time.time()
    run = two.run(executor=executor)
    single, quick, slower = run.task_runs
    assert 0.2 <= single.duration < 5 and 0.1 <= slower.duration < 5 and quick.duration < 0.1
    assert all(began - 1 < each.started < time.time() + 1 and each.worker for each in run.task_runs)
    assert [each.label for each in run.task_runs] == ["nap", "nap[0]", "nap[1]"]
    assert began - 1 < run.started and run.duration >= 0.2


def test_several_runs_on_one_started_executor_and_two_at_once(engine):
    """Runs do not see each other, one after the other or from two threads."""
    name, executor = engine

    @flow
    def scaled(factor):
        return total(plus.map(range(50), unmapped(factor)))

    assert [scaled.run(factor=n, executor=executor).result for n in (1, 2)] == [1275, 1325]
    if name == "local":
        return
    results = {}

    def run(factor):
        results[factor] = scaled.run(factor=factor, executor=executor).result

    threads = [threading.Thread(target=run, args=(factor,)) for factor in (3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {3: 1375, 4: 1425}


def test_an_executor_that_is_not_started_is_started_and_closed(threads_file):
    """`run` opens an executor that is given closed, and closes it again; one that is open stays open."""
    executor = get_executor(threads_file)
    assert warming_up.run(executor=executor).ok
    assert not executor.started
    with executor.start():
        assert warming_up.run(executor=executor).ok
        assert executor.started


# A lost worker.


@pytest.mark.parametrize("name", ["processes", pytest.param("dask", marks=pytest.mark.cluster)])
def test_a_call_that_kills_its_worker_is_found_and_the_rest_goes_on(name, tmp_path):
    """It is Crashed by name and index after its own budget of retries; the others all succeed."""
    plugin, options = ENGINES[name]
    file = str(tmp_path / "notes")

    @task(crash_retries=1)
    def deadly(number):
        note(file, number)
        if number == 13:
            os._exit(3)
        return number

    @flow
    def mine():
        return deadly.map(range(40))

    with get_executor(plugin, **options).start() as executor:
        width = executor.slots
        run = mine.run(executor=executor)
        end = time.monotonic() + 20
        while executor.slots < width and time.monotonic() < end:
            time.sleep(0.05)  # a cluster that closes while it replaces a worker may leave that one behind
    assert run.task_runs.counts() == {TaskState.SUCCESS: 39, TaskState.CRASHED: 1}
    crashed = next(iter(run.task_runs.failures()))
    assert crashed.index == 13
    assert [type(attempt.error) for attempt in crashed.attempts] == [WorkerLostError] * 2
    assert crashed.attempts[0].started < crashed.attempts[1].started
    assert run.explain(crashed).startswith("deadly[13] is Crashed: WorkerLostError: ")
    with pytest.raises(TaskFailedError, match=r"deadly\[13\] is Crashed"):
        _ = run.result
