"""Tasks with a `cache_key`: what is found is not run again, what is not is, and a cache in trouble fails no task."""

import functools
import logging
import os
import random
import threading
import time
from pathlib import Path

import pytest

from turgo import Skip, flow, task
from turgo.caching.entries import open_entry, pack
from turgo.errors import CacheError, CacheKeyError, TaskPolicyError
from turgo.records.states import TaskState
from turgo.stores.file_store import FileStore

pytestmark = pytest.mark.usefixtures("inline_as_local")

CALLS = []  # which elements were computed; a list is no part of what a function is


@pytest.fixture(autouse=True)
def calls():
    """What was computed since it was cleared last."""
    CALLS.clear()
    yield CALLS
    CALLS.clear()


@pytest.fixture
def folder():
    """Where the entries are by default."""
    return Path(os.environ["XDG_CACHE_HOME"]) / "turgo" / "tasks"


def entries(folder):
    return sorted(path for path in folder.glob("??/*") if path.is_file())


@task(cache_key="inputs")
def square(number):
    CALLS.append(number)
    return number * number


@task
def numbers(count):
    return list(range(count))


@task
def total(values):
    return sum(values)


def states(run, name):
    return [each.state for each in run.task_runs if each.name == name]


def test_a_second_run_computes_nothing_again(calls):
    """Single calls and elements are Cached, consumers get the values, and the records say so."""

    @flow
    def squares():
        many = square.map(numbers(5))
        one = square(7)
        return many, total(many), one, square(one)

    first, second = squares.run(), squares.run()
    assert first.result == second.result == ([0, 1, 4, 9, 16], 30, 49, 2401)
    assert sorted(calls) == [0, 1, 2, 3, 4, 7, 49]
    assert states(first, "square") == [TaskState.SUCCESS] * 7
    assert states(second, "square") == [TaskState.CACHED] * 7
    assert second.ok and states(second, "total") == [TaskState.SUCCESS]
    cached = next(each for each in second.task_runs if each.state is TaskState.CACHED)
    assert cached.attempts == () and cached.worker is None and cached.error is None
    assert second.task_runs.by_task()["square"].states == {TaskState.CACHED: 7}
    assert "in the cache" in second.explain("square[2]")


def test_elements_that_are_new_run_among_those_that_are_not(calls):
    """Whatever the order in which they stand, each value is at its place, also for a map that follows."""

    @task
    def plus(number, more):
        return number + more

    @flow
    def chained(these):
        return plus.map(square.map(these), these)

    chained.run([3, 1, 4, 1, 5])
    calls.clear()
    run = chained.run([9, 3, 1, 2, 6, 5, 3, 5, 8])
    assert run.result == [90, 12, 2, 6, 42, 30, 12, 30, 72]
    assert sorted(calls) == [2, 6, 8, 9]
    expected = [
        TaskState.CACHED if n in (3, 1, 4, 5) else TaskState.SUCCESS for n in (9, 3, 1, 2, 6, 5, 3, 5, 8)
    ]
    assert states(run, "square") == expected


def test_whatever_of_the_cache_is_gone_is_computed_again(calls, folder):
    """Random halves of the entries of a graph with maps over maps are removed: the result is the same each time."""

    @task(cache_key="inputs")
    def less(number):
        CALLS.append(-number)
        return number - 1

    @flow
    def layers():
        first = square.map(range(30))
        second = less.map(first)
        third = square.with_options(name="again").map(second)
        return total(third), third[3], total([square(total(first)), less.with_options(name="last")(third[2])])

    expected, computed = layers.run().result, len(calls)
    assert computed == 92
    drawn = random.Random(5)
    for _ in range(10):
        gone = [entry for entry in entries(folder) if drawn.random() < 0.5]
        for entry in gone:
            entry.unlink()
        calls.clear()
        run = layers.run()
        assert run.result == expected
        assert len(calls) >= len(gone)
        assert run.task_runs.counts()[TaskState.CACHED] + len(calls) == computed


def test_another_function_or_name_is_not_the_same_task(calls):
    """Changed code computes again, and so does a task with another name."""

    def made(text):
        space = {"CALLS": CALLS, "__name__": "made"}
        exec(text, space)
        return task(cache_key="inputs", name="work")(space["work"])

    @flow
    def run(each):
        return each(3)

    text = "def work(n):\n    CALLS.append(n)\n    return n + 1\n"
    for version in (text, f"# a comment\n{text}", text.replace("+ 1", "+ 2")):
        run(made(version))
    run(made(text).with_options(name="other"))
    assert len(calls) == 3


def test_an_entry_expires(calls, folder):
    """Its age is that of its writing; one that is too old is computed again and replaced."""
    aging = square.with_options(cache_expires=3600)

    @flow
    def squares():
        return aging.map([2, 3])

    squares.run()
    for path in entries(folder):
        key = path.parent.name + path.name
        value = open_entry(key, path.read_bytes())
        path.write_bytes(pack(key, value, time.time() - (3700 if value == 4 else 3500)))
    calls.clear()
    assert states(squares.run(), "square") == [TaskState.SUCCESS, TaskState.CACHED]
    assert calls == [2]
    assert states(squares.run(), "square") == [TaskState.CACHED] * 2


def test_no_time_at_all_computes_each_time(calls):
    """`cache_expires=0` asks for nothing that is older than now."""
    fresh = square.with_options(cache_expires=0)
    once = flow(lambda: fresh(2))
    assert [once(), once(), len(calls)] == [4, 4, 2]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "foreign"])
def test_a_damaged_entry_is_computed_again_with_a_warning(damage, calls, folder, caplog):
    """It is never returned, and replaced by a good one."""

    @flow
    def squares():
        return square.map([11, 12])

    squares.run()
    for path in entries(folder):
        data = path.read_bytes()
        cut = {"cut": data[:-1], "emptied": b"", "foreign": b"\x80\x05K\x01."}
        path.write_bytes(cut.get(damage, data[:-2] + bytes((data[-2] ^ 1,)) + data[-1:]))
    calls.clear()
    with caplog.at_level(logging.WARNING, "turgo"):
        run = squares.run()
    assert run.result == [121, 144] and sorted(calls) == [11, 12]
    assert "the cached value of square[0] is made anew" in caplog.text
    assert states(squares.run(), "square") == [TaskState.CACHED] * 2


def test_failures_and_skips_are_not_kept(calls):
    """A call that failed is tried again in the next run, and kept once it succeeds; a retry within the run too."""
    good = []

    @task(cache_key=lambda arguments: str(arguments["number"]), retries=1)
    def fragile(number):
        CALLS.append(number)
        if number == 1 and not good:
            raise ValueError("on purpose")
        if number == 2:
            raise Skip("nothing to do")
        if number == 3 and CALLS.count(3) == 1:
            raise ValueError("once")
        return number

    @flow
    def some():
        return fragile.map([0, 1, 2, 3])

    expected = [TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.SUCCESS]
    assert states(some.run(), "fragile") == expected
    assert sorted(calls) == [0, 1, 1, 2, 3, 3]
    calls.clear()
    good.append(True)
    run = some.run()
    expected = [TaskState.CACHED, TaskState.SUCCESS, TaskState.SKIPPED, TaskState.CACHED]
    assert states(run, "fragile") == expected and sorted(calls) == [1, 2]


def test_cached_counts_as_success_for_triggers():
    """For every trigger that tells success from failure, on single and mapped upstreams."""
    names = ("all_successful", "any_failed", "any_successful", "all_failed", "not_all_skipped")

    @task
    def told(*values):
        return True

    @flow
    def triggered():
        one, many = square(2), square.map([3, 4])
        return [
            told.with_options(trigger=name, name=f"{name}_{at}")(each)
            for name in names
            for at, each in enumerate((one, many))
        ]

    first, second = triggered.run(), triggered.run()
    assert second.task_runs.counts()[TaskState.CACHED] == 3
    ours = [each for each in second.task_runs if each.name != "square"]
    theirs = [each for each in first.task_runs if each.name != "square"]
    assert [(each.name, each.state) for each in ours] == [(each.name, each.state) for each in theirs]


def test_what_a_consumer_does_to_a_value_does_not_reach_the_cache():
    """A task that sorts in place what it is given, in the same process, sorts its own."""

    @task(cache_key="inputs")
    def shuffled():
        return [3, 1, 2]

    @task
    def spoil(values):
        values.clear()

    @flow
    def run(spoiling):
        values = shuffled()
        return total.after(spoil(values))(numbers(3)) if spoiling else values

    for _ in range(3):
        run(True)
    assert run(False) == [3, 1, 2]


def test_a_key_that_fails_fails_the_call_and_is_not_retried(calls):
    """The calls whose key is a text run; the error says what is wrong, as that of a task does."""

    def by_name(arguments):
        return {1: "one", 2: 2}[arguments["number"]]

    keyed = square.with_options(cache_key=by_name, retries=3)

    @flow
    def some():
        return keyed.map([1, 2, 3]), square(1)

    run = some.run()
    assert [run_.state for run_ in run.task_runs][:3] == [
        TaskState.SUCCESS,
        TaskState.FAILED,
        TaskState.FAILED,
    ]
    errors = [each.error for each in run.task_runs if each.error]
    assert [type(error) for error in errors] == [CacheKeyError] * 2
    assert "returned 2; it has to return a text" in str(errors[0])
    assert "failed: KeyError: 3" in str(errors[1]) and isinstance(errors[1].__cause__, KeyError)
    assert sorted(calls) == [1, 1] and not run.ok


def test_arguments_without_a_key_are_told_of_once_and_the_calls_run(calls, caplog):
    """A lock has no stable key: the calls run each time."""

    @flow
    def some():
        return square_of.map([threading.Lock() for _ in range(4)])

    @task(cache_key="inputs")
    def square_of(lock):
        CALLS.append(lock)
        return 1

    with caplog.at_level(logging.WARNING, "turgo"):
        assert some() == [1] * 4
    said = [record.getMessage() for record in caplog.records]
    assert (
        len(said) == 1
        and "square_of is not cached: no stable key can be made of its argument 'lock'" in said[0]
    )
    assert some() == [1] * 4 and len(calls) == 8


def test_a_value_that_cannot_be_pickled_is_told_of_and_not_kept(caplog, folder):
    """The task has succeeded all the same."""

    @task(cache_key="inputs")
    def lock(number):
        return threading.Lock() if number else "a"

    with caplog.at_level(logging.WARNING, "turgo"):
        run = flow(lambda: lock.map([0, 1, 2])).run()
    assert run.ok and len(entries(folder)) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "the value of lock[1] is not cached: it cannot be pickled (cannot pickle '_thread.lock' object)"
    ]


class Scale:
    """Holds a task as a method."""

    def __init__(self, factor):
        self.factor = factor

    @task(cache_key="inputs")
    def times(self, number):
        CALLS.append((self.factor, number))
        return self.factor * number


def test_methods_lambdas_and_partials_have_keys(calls):
    """A method counts with its instance, a partial with what it is given, a lambda with what it closes over."""

    def made(more):
        return task(cache_key="inputs", name="lambda")(
            lambda number: (CALLS.append(number), number + more)[1]
        )

    partial = task(cache_key="inputs", name="partial")(functools.partial(pow, exp=3))

    @flow
    def some(factor, more):
        return Scale(factor).times(2), made(more)(3), partial(4)

    assert some(10, 1) == some(10, 1) == (20, 4, 64) and len(calls) == 2
    assert some(11, 1) == (22, 4, 64) and len(calls) == 3
    assert some(11, 5) == (22, 8, 64) and len(calls) == 4


def test_without_a_cached_task_there_is_no_cache(folder):
    """No folder is made, and a setting that makes no sense is not even looked at."""
    assert flow(lambda: total(numbers(3)))() == 3
    assert not folder.exists()


def test_a_folder_that_is_not_safe_is_refused_before_anything_runs(calls, folder):
    """The error says where it was named; nothing has run."""
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(CacheError, match=r"chmod go-w .* \(from the default\)"):
        flow(lambda: square(1))()
    assert not calls


def test_a_folder_that_cannot_be_made_is_an_error_if_it_was_asked_for(calls, tmp_path, monkeypatch, caplog):
    """The default one is not worth failing for: a warning, and the run goes on without it."""
    file = tmp_path / "file"
    file.write_text("")
    once = flow(lambda: square(1))
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    with caplog.at_level(logging.WARNING, "turgo"):
        assert once() == once() == 1
    assert "cannot be made: Not a directory (from the default); this run is not cached" in caplog.text
    monkeypatch.setenv("TURGO_CACHE__URL", str(file / "x"))
    with pytest.raises(CacheError, match=r"cannot be made: .* variable TURGO_CACHE__URL"):
        once()
    assert len(calls) == 2


def test_a_cache_that_breaks_down_fails_no_task(calls, folder, caplog):
    """What cannot be read or written is told of once; all is computed."""
    folder.mkdir(parents=True, mode=0o700)
    for number in range(256):
        (folder / f"{number:02x}").write_text("in the way")
    with caplog.at_level(logging.WARNING, "turgo"):
        assert flow(lambda: square.map(range(600)))() == [n * n for n in range(600)]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1 and f"the cache at {folder} cannot be read" in said[0]
    assert len(calls) == 600


def test_the_folder_of_the_configuration_holds_the_values(project, monkeypatch, folder):
    """A relative one lies beside the file that names it; `file://` is a folder too."""
    (project / "turgo.toml").write_text('[cache]\nurl = "kept"\nmax_bytes = 100000\n')
    flow(lambda: square(1))()
    assert len(entries(project / "kept")) == 1
    monkeypatch.setenv("TURGO_CACHE__URL", (project / "too").as_uri())
    flow(lambda: square(1))()
    assert len(entries(project / "too")) == 1 and not folder.exists()


def test_the_size_of_the_folder_is_limited(monkeypatch, folder):
    """What was used longest ago makes room."""
    monkeypatch.setenv("TURGO_CACHE__MAX_BYTES", "1000000")

    @task(cache_key="inputs", batch=False)
    def large(number):
        return bytes(100_000)

    assert flow(lambda: large.map(range(40))).run().ok
    assert FileStore(folder, max_bytes=1).usage().size <= 1_200_000


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"cache_key": "input"}, "cache_key='input': give \"inputs\""),
        ({"cache_key": 3}, "cache_key=3: give"),
        ({"cache_key": "inputs", "cache_expires": -1}, "cache_expires=-1: give a number of seconds"),
        ({"cache_key": "inputs", "cache_expires": "1h"}, "cache_expires='1h': give a number of seconds"),
        ({"cache_expires": 60}, "says nothing without a cache_key"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(policy, words):
    """When the task is made."""
    with pytest.raises(TaskPolicyError) as caught:
        task(**policy)(numbers.fn)
    assert words in str(caught.value)
