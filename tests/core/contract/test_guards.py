"""The guards: an executor is used inside start() only, and futures never reach its author's method."""

import collections
import inspect
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from turgo.errors import (
    ExecutorNotStartedError,
    ExecutorStartedError,
    UnresolvableFutureError,
)
from turgo.registry.source_files import load_source
from turgo.testing import ManualExecutor

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor


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
