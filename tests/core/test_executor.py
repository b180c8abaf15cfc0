"""The contract: what the base class does for every executor."""

import pickle
import sys

import pytest

from turgo.executor import API_VERSION, CAPABILITIES, Executor, ExecutorSpec
from turgo.registry.precedence import get_executor
from turgo.testing import ManualExecutor


@pytest.fixture
def threads(threads_file, monkeypatch):
    """The executor that the docstring of the contract shows, by the class path that stands there."""
    monkeypatch.chdir(threads_file.parent)
    before = set(sys.modules)
    yield "./threads.py:ThreadsExecutor"
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_tutorials_executor_works_as_it_stands(threads):
    """The executor of the docstring, in a file of its own, runs calls by its class path."""
    with get_executor(threads, workers=2).start() as executor:
        futures = executor.map(pow, range(5), [2] * 5)
        assert executor.wait(executor.submit(sum, futures)) == 30
        assert executor.slots == 2


def test_the_tutorials_executor_is_twenty_lines(threads_file):
    """It is as short as is said of it."""
    lines = [line for line in threads_file.read_text().splitlines() if line.strip() and '"""' not in line]
    assert len(lines) <= 20


def test_hints_travel_with_a_call_that_waits():
    """extra_context is there when the call is submitted at last."""
    with ManualExecutor().start() as executor:
        one = executor.submit(int)
        executor.submit(abs, one, extra_context={"task_name": "late"})
        executor.run_all()
        assert executor.contexts == [None, {"task_name": "late"}]


def test_it_pickles_with_its_options_only():
    """Before, during and after start() the copy is an executor that is not started, with the same options."""
    executor = ManualExecutor(width=3)
    copies = [pickle.loads(pickle.dumps(executor))]
    with executor.start():
        executor.submit(int)
        copies.append(pickle.loads(pickle.dumps(executor)))
    copies.append(pickle.loads(pickle.dumps(executor)))
    assert [vars(copy) for copy in copies] == [{"width": 3}] * 3
    with copies[1].start() as started:
        assert started.slots == 3


def test_it_shows_its_options():
    """repr is the constructor call, runtime parts left out."""
    with ManualExecutor(width=3).start() as executor:
        assert repr(executor) == "ManualExecutor(width=3)"


def test_wait_keeps_the_shape():
    """Values in the place of futures; what is no future passes through."""
    with ManualExecutor().start() as executor:
        one, two = executor.map(int, "12")
        executor.run_all()
        assert executor.wait({"a": [one, (two, None)], "b": {one}}) == {"a": [1, (2, None)], "b": {1}}
        assert executor.wait(one) == 1
        assert executor.wait("text") == "text"


def test_wait_raises_the_first_error_of_the_shape():
    """First in the order of the shape, not in time."""
    with ManualExecutor().start() as executor:
        first, second = executor.map(int, ["x", "y"])
        executor.run_next(1)
        executor.run_next(0)
        with pytest.raises(ValueError, match="'x'"):
            executor.wait([first, second])


def test_map_numbers_its_calls():
    """Each call knows its index, beside the hints that the caller gives."""
    with ManualExecutor().start() as executor:
        assert executor.map(int, []) == []
        executor.map(pow, [1, 2], iter([3, 4, 5]), extra_context={"task_name": "powers"})
        assert executor.contexts == [{"task_name": "powers", "task_index": index} for index in (0, 1)]


def test_cancel_takes_calls_back_and_counts_them():
    """Nested as in wait; those that are done keep their values and do not count."""
    with ManualExecutor().start() as executor:
        finished, one, two = executor.map(int, "123")
        executor.run_next()
        dependent = executor.submit(abs, two)
        assert executor.cancel([finished, {"a": (one, dependent)}]) == 2
        executor.run_all()
        assert (finished.result(), two.result()) == (1, 3)


def test_submit_must_be_written():
    """A subclass without submit cannot be made."""
    with pytest.raises(TypeError, match="submit"):
        type("Empty", (Executor,), {})()


def test_a_spec_knows_the_capabilities():
    """Those of the contract are taken, others refused with the list of those there are."""
    spec = ExecutorSpec(name="mine", target="mine:Mine", capabilities=["parallel"])
    assert (spec.capabilities, spec.api_version) == (frozenset({"parallel"}), API_VERSION)
    with pytest.raises(ValueError, match=r"paralel.*parallel"):
        ExecutorSpec(name="mine", target="mine:Mine", capabilities=["paralel"])
    assert all(meaning and not meaning.endswith(".") for meaning in CAPABILITIES.values())
