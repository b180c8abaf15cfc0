"""The contract: what the base class does for every executor."""

import collections
import inspect
import pickle
import sys
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.errors import (
    ExecutorNotStartedError,
    ExecutorStartedError,
    UnresolvableFutureError,
)
from penstock.executor import API_VERSION, CAPABILITIES, Executor, ExecutorSpec
from penstock.registry import get_executor
from penstock.sources import load_source
from penstock.testing import ManualExecutor

InlineExecutor = load_source(Path(__file__).with_name("inline_executor.py")).InlineExecutor


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


class Recording(ManualExecutor):
    """Notes what happens in start()."""

    def __init__(self, *, fail=False):
        super().__init__()
        self.fail = fail
        self.seen = []

    @contextmanager
    def start(self):
        with super().start():
            self.seen.append("open")
            if self.fail:
                raise OSError("no address")
            try:
                yield "something else"
            finally:
                self.seen.append("closed")


def test_start_gives_the_executor_whatever_it_yields():
    """`with executor.start() as entered` is the executor, though the author yields another thing."""
    executor = Recording()
    with executor.start() as entered:
        assert entered is executor


def test_starts_of_base_classes_chain():
    """super().start() inside start() opens the base's part; neither refuses the other."""
    executor = Recording()
    for _ in range(2):
        with executor.start():
            executor.submit(int)
            with pytest.raises(ExecutorStartedError), executor.start():
                pass
    assert executor.seen == ["open", "closed"] * 2


def test_start_may_be_a_bare_generator():
    """@contextmanager may be left out."""

    class Bare(ManualExecutor):
        def start(self):
            with super().start():
                yield self

    with Bare().start() as executor:
        assert executor.started
    assert not executor.started


def test_start_may_be_left_out():
    """An executor that opens nothing can still be started, once at a time."""

    with InlineExecutor().start() as executor:
        assert executor.wait(executor.submit(int, "1")) == 1
        with pytest.raises(ExecutorStartedError), executor.start():
            pass
    with pytest.raises(ExecutorNotStartedError):
        executor.submit(int)


def test_a_start_that_fails_leaves_it_not_started():
    """The error comes out, and the executor can be started once the reason is gone."""
    executor = Recording(fail=True)
    with pytest.raises(OSError, match="no address"), executor.start():
        pass
    assert not executor.started
    executor.fail = False
    with executor.start():
        assert executor.started


def test_an_error_inside_closes():
    """What was opened is closed, whatever happened inside."""
    executor = Recording()
    with pytest.raises(KeyError), executor.start():
        raise KeyError
    assert executor.seen == ["open", "closed"]


@pytest.mark.parametrize(
    "use", [lambda ex: ex.submit(int), lambda ex: ex.map(int, "1"), lambda ex: ex.wait([])]
)
def test_it_is_used_inside_start_only(use):
    """Before and after it, submit, map and wait are refused with a sentence that shows how."""
    executor = ManualExecutor()
    with pytest.raises(ExecutorNotStartedError, match=r"with ManualExecutor\(…\)\.start\(\)"):
        use(executor)
    with executor.start():
        use(executor)
    with pytest.raises(ExecutorNotStartedError):
        use(executor)


def test_futures_never_reach_the_authors_method():
    """A call whose arguments hold futures is submitted with their values, once they are there."""
    with ManualExecutor().start() as executor:
        one = executor.submit(int, "1")
        future = executor.submit(lambda *args, **named: (args, named), [one], key={"a": (one, 2)})
        assert len(executor.calls) == 1
        executor.run_all()
        assert future.result() == (([1],), {"key": {"a": (1, 2)}})


def test_hints_travel_with_a_call_that_waits():
    """extra_context is there when the call is submitted at last."""
    with ManualExecutor().start() as executor:
        one = executor.submit(int)
        executor.submit(abs, one, extra_context={"task_name": "late"})
        executor.run_all()
        assert executor.contexts == [None, {"task_name": "late"}]


def test_native_futures_are_handed_on():
    """An engine that resolves its own futures gets them as they are, and no others."""

    class Own(Future):
        pass

    class Native(ManualExecutor):
        native_futures = (Own,)

    own, foreign = Own(), Future()
    with Native().start() as executor:
        future = executor.submit(lambda *args: args, [own], foreign)
        foreign.set_result(2)
        executor.run_all()
        assert future.result() == ([own], 2)


def test_a_place_that_cannot_be_resolved_is_named():
    """Positional and keyword arguments are named as the caller wrote them."""
    with ManualExecutor().start() as executor:
        one = executor.submit(int)
        with pytest.raises(UnresolvableFutureError, match=r"args\[1\]\['a'\]") as caught:
            executor.submit(int, 0, {"a": {one: 1}})
        assert caught.value.place == "args[1]['a']"
        with pytest.raises(UnresolvableFutureError) as caught:
            executor.submit(int, base=collections.deque([one]))
        assert caught.value.place == "base"
        executor.run_all()


def test_a_call_that_still_waits_is_not_made_in_the_next_session():
    """A call belongs to the start() that it was made in."""
    executor, upstream = ManualExecutor(), Future()
    with executor.start():
        future = executor.submit(abs, upstream)
    with executor.start():
        upstream.set_result(-1)
        assert executor.calls == []
    assert isinstance(future.exception(timeout=20), ExecutorNotStartedError)


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


def test_the_guards_keep_signature_and_docstring():
    """What help() and editors show of an author's method is the author's."""
    assert "Run what is held" in inspect.getdoc(ManualExecutor.run_all)
    assert list(inspect.signature(ManualExecutor.submit).parameters) == [
        "self",
        "fn",
        "args",
        "extra_context",
        "kwargs",
    ]


def test_a_spec_knows_the_capabilities():
    """Those of the contract are taken, others refused with the list of those there are."""
    spec = ExecutorSpec(name="mine", target="mine:Mine", capabilities=["parallel"])
    assert (spec.capabilities, spec.api_version) == (frozenset({"parallel"}), API_VERSION)
    with pytest.raises(ValueError, match=r"paralel.*parallel"):
        ExecutorSpec(name="mine", target="mine:Mine", capabilities=["paralel"])
    assert all(meaning and not meaning.endswith(".") for meaning in CAPABILITIES.values())
