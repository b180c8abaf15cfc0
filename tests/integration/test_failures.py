"""Failures are the same on every executor: what depends on them, what cannot travel, retries, a lost worker."""

import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import cloudpickle
import pytest

from turgo import NoValue, Skip, flow, get_executor, task
from turgo.errors import TaskFailedError, ValueNotPortableError, WorkerLostError
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

small = load_source(Path(__file__).with_name("small_tasks.py"))
plus, total, nap, note = small.plus, small.total, small.nap, small.note

IN_PROCESS = {"local", "threads", "synchronous", "file"}


def states(run, name=None):
    return [each.state for each in run.task_runs if name in (None, each.name)]


# What fails, and what depends on it.


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
        TaskFailedError, match=r"plus\[3\] is TriggerFailed, since fail_with\[3\] \(number=3\) is Failed"
    ) as caught:
        _ = run.result
    assert (caught.value.task, caught.value.index, caught.value.state) == ("plus", 3, "TriggerFailed")
    assert type(caught.value.__cause__) is KeyError


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
    assert lines[2].startswith("odd[3] (number=3) is Failed: ValueError: three, in attempt 2, after ")
    assert run.explain("plus[4]").splitlines()[1].startswith("odd[4] is Skipped: Skip: four")


def test_what_failed_is_named_by_its_input_and_by_the_label_of_its_author(executor):
    """The same on every executor: of a list, of another map, of a single call, and as the task's label says it."""
    labelled = task(fail_with, name="labelled", label="number {number:03}")

    @flow
    def broken():
        numbers = plus.map([1, 2, 5])
        return task(fail_with).map(numbers), labelled.map(numbers), labelled(total(numbers))

    run = broken.run(executor=executor)
    assert [each.title for each in run.task_runs.failures()] == [
        "fail_with[1] (number=3)",
        "labelled[1] (number 003)",
    ]
    assert run.explain("labelled[1]").startswith("labelled[1] (number 003) is Failed: KeyError")


# What cannot travel.


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
    assert one.state is TaskState.FAILED
    assert str(one.error).startswith("argument value.lock (a lock) of uses cannot be pickled: ")
    assert str(elements[1].error).startswith("argument value.lock (a lock) of uses[1] cannot be pickled: ")
    assert two.state is TaskState.FAILED and "the function of holds" in str(two.error)
    assert [each.state for each in elements] == [TaskState.SUCCESS, TaskState.FAILED, TaskState.SUCCESS]


class Box:
    def __init__(self, held):
        self.held = held


def test_a_result_deep_in_an_object_fails_the_task_that_uses_it(executor):
    """In the process and on its way to another one the error says why it is there and how to give it instead."""

    @task
    def opens(box):
        return box.held.held + 1

    run = flow(lambda: opens(Box(Box(plus(1))))).run(executor=executor)
    assert states(run) == [TaskState.SUCCESS, TaskState.FAILED]
    assert "A task gets the value of a result that is an argument of its own" in str(run.task_runs[1].error)


# Retries.


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


def test_a_waiting_retry_holds_no_worker(executor, tmp_path):
    """While a call waits for its second try, others run, and many that wait do so together."""

    @task(retries=1, retry_delay=1.0)
    def late(number):
        file = tmp_path / str(number)
        note(file, "x")
        if len(file.read_text().split()) < 2:
            raise OSError("not yet")
        return time.time()

    @flow
    def waiting():
        return late.map(range(30)), nap.map([0.0] * 3)

    began = time.monotonic()
    assert waiting.run(executor=executor).ok
    assert time.monotonic() - began < 20


# A lost worker.


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("local_dask", {"scheduler": "processes", "num_workers": 2}, id="processes"),
        pytest.param(
            "dask",
            {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1}},
            id="dask",
            marks=pytest.mark.cluster,
        ),
    ],
)
def test_a_call_that_kills_its_worker_is_found_and_the_rest_goes_on(name, options, tmp_path):
    """It is Crashed by name and index after its own budget of retries; the others all succeed."""
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

    with get_executor(name, **options).start() as executor:
        width = executor.slots
        run = mine.run(executor=executor)
        end = time.monotonic() + 60
        while executor.slots < width and time.monotonic() < end:
            time.sleep(0.05)  # a cluster that closes while it replaces a worker may leave that one behind
    assert run.task_runs.counts() == {TaskState.SUCCESS: 39, TaskState.CRASHED: 1}
    crashed = next(iter(run.task_runs.failures()))
    assert crashed.index == 13
    assert {type(attempt.error) for attempt in crashed.attempts} == {WorkerLostError}
    assert len(crashed.attempts) >= 2  # one more if it was lost among others first
    started = [attempt.started for attempt in crashed.attempts]
    assert started == sorted(set(started))
    ran = Counter(int(number) for number in Path(file).read_text().split())
    assert len(crashed.attempts) >= ran[13]
    if name != "dask":  # which itself computes anew what was lost after it was done, and tells nobody
        assert all(len(each.attempts) >= ran[each.index] for each in run.task_runs)
    assert run.explain(crashed).startswith(
        "deadly[13] ("
    ) and " is Crashed: WorkerLostError: " in run.explain(crashed)
    with pytest.raises(TaskFailedError, match=r"deadly\[13\] .* is Crashed"):
        _ = run.result


def test_what_went_well_is_at_hand_on_every_executor(executor):
    """Small and large values, those that were used up in the batch that made them too."""

    @flow
    def broken():
        first = task(fail_with).map(range(6))
        return {"after": plus.map(first), "large": task(bytes, name="zeros").map([300_000, 3])}

    run = broken.run(executor=executor)
    values = run.values("fail_with")
    assert [each for each in values if not isinstance(each, NoValue)] == [0, 1, 2, 4, 5]
    assert isinstance(values[3].error, KeyError)
    assert [each for each in run.partial["after"] if not isinstance(each, NoValue)] == [1, 2, 3, 5, 6]
    assert run.partial["after"][3].state is TaskState.TRIGGER_FAILED
    assert run.partial["large"] == [bytes(300_000), bytes(3)]
