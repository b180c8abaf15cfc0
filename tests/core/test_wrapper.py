"""A wrapper around another executor: what it hands on, and what of it may differ."""

import pickle
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from turgo import WrappingExecutor, flow, get_executor, task
from turgo.errors import ExecutorNotStartedError, OptionError
from turgo.executor import Executor, ExecutorEvent, ExecutorLike, Growth
from turgo.registry.source_files import load_source
from turgo.testing import ExecutorConformance, ManualExecutor

RIGHT_FILE = Path(__file__).parent / "testing" / "right_executor.py"
Right = load_source(RIGHT_FILE).Right


class Counted(WrappingExecutor):
    """Count the calls of another executor.

    limit: how many there may be.
    """

    def __init__(self, wrapped: ExecutorLike = "local", *, limit: int = 1_000_000) -> None:
        super().__init__(wrapped)
        self.limit = limit

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        self._count = getattr(self, "_count", 0) + 1
        assert self._count <= self.limit
        return super().submit(fn, *args, extra_context=extra_context, **kwargs)


class TestWrapper(ExecutorConformance):
    """A wrapper of ten lines keeps the contract, where the wrapped executor does."""

    executor = Counted
    executor_options = {"wrapped": {"use": f"{RIGHT_FILE}:Right", "workers": 2}}  # noqa: RUF012
    load = 500


class Particular(Right):  # type: ignore[misc, valid-type]
    """Has an answer of its own to all that it can be asked."""

    native_futures = (Future,)
    resource_tag = "particular:{name}={amount}"
    capabilities = frozenset({"parallel", "resources"})

    def offers(self, requirement: str) -> bool:
        return requirement in ("parallel", "resources:GPU")

    def check_tags(self, tags: Any) -> None:
        if "wrong" in tags:
            raise OptionError("it is wrong", option="tags")

    def channel(self, deliver: Any) -> Any:
        return memoryview(b"its own")  # a context manager, and no other's

    def events(self) -> Any:
        return [ExecutorEvent("dashboard", "look")]

    def wait(self, futures: Any) -> Any:
        return ("waited", super().wait(futures))

    def map(self, fn: Any, *iterables: Any, extra_context: Any = None) -> Any:
        return ["mapped", *super().map(fn, *iterables, extra_context=extra_context)]

    def cancel(self, futures: Any) -> int:
        return 17


def test_all_that_is_not_overridden_is_the_wrapped_executors() -> None:
    """Slots, capabilities, tags, futures, events, the channel, and its own ways to map, wait and cancel."""
    with WrappingExecutor(Particular(workers=3)).start() as executor:
        assert (executor.slots, executor.capabilities) == (3, Particular.capabilities)
        assert (executor.native_futures, executor.resource_tag) == ((Future,), Particular.resource_tag)
        assert [executor.offers(each) for each in ("resources:GPU", "resources:TPU", "distributed")] == [
            True,
            False,
            False,
        ]
        assert [each.kind for each in executor.events()] == ["dashboard"]
        with executor.channel(int) as send:
            assert send is not None and bytes(send) == b"its own"  # type: ignore[call-overload]
        with pytest.raises(OptionError, match="it is wrong"):
            executor.check_tags(["wrong"])
        mapped = executor.map(int, ["1"])
        assert mapped[0] == "mapped" and executor.wait(mapped[1]) == ("waited", 1)
        assert executor.cancel([]) == 17


def test_what_is_wrapped_grows_unless_the_wrapper_counts_slots_itself() -> None:
    """One that allows fewer calls at once is not to get as many as let the wrapped executor grow."""

    class Growing(Particular):
        growth = Growth(slots=8, seconds=10.0)

    class Fewer(WrappingExecutor):
        slots = 2

    assert WrappingExecutor(Particular(workers=3)).growth is None
    assert WrappingExecutor(Growing(workers=3)).growth == Growing.growth
    assert Fewer(Growing(workers=3)).growth is None


def test_a_submit_of_ones_own_is_what_everything_calls() -> None:
    """`map`, the pool and flows go through it."""
    with Counted(Right()).start() as executor:
        assert executor.wait(executor.map(int, ["1", "2"])) == [1, 2]
        with executor.as_pool() as pool:
            assert pool.submit(int, "3").result(timeout=30) == 3
        assert executor._count == 3
        assert flow(lambda: task(int)("4")).run(executor=executor).result == 4
        assert executor._count == 4


@pytest.mark.parametrize(
    "wrapped",
    [f"{RIGHT_FILE}:Right", {"use": f"{RIGHT_FILE}:Right", "workers": 2}, Right, Right(workers=2)],
    ids=["path", "mapping", "class", "object"],
)
def test_what_is_wrapped_is_named_as_anywhere(wrapped: ExecutorLike) -> None:
    """By a path, a mapping, a class or an object; a pickled wrapper finds it again, and neither is started."""
    executor = pickle.loads(pickle.dumps(WrappingExecutor(wrapped)))
    for _ in range(2):
        with executor.start():
            assert executor.submit(int, "7").result(timeout=30) == 7
    assert executor.slots == 2
    assert not isinstance(wrapped, Executor) or not wrapped.started


def test_options_of_the_wrapped_one_are_set_as_any() -> None:
    """In a mapping, or by the dots of `-o`."""
    settings = {"wrapped.use": f"{RIGHT_FILE}:Right", "wrapped.workers": 5, "limit": 3}
    executor = get_executor(Counted, **settings)
    assert (executor.slots, executor.limit) == (5, 3)  # type: ignore[attr-defined]


def test_an_executor_that_is_started_is_used_as_it_is() -> None:
    """It stays open when the wrapper is left, of which several can share it."""
    with ManualExecutor().start() as manual:
        one, other = WrappingExecutor(manual), WrappingExecutor(manual)
        with one.start(), other.start():
            futures = [one.submit(int, "1"), other.submit(int, "2")]
        assert manual.started and len(manual.calls) == 2
        with pytest.raises(ExecutorNotStartedError):
            one.map(int, ["1"])
        manual.run_all()
        assert [future.result(timeout=30) for future in futures] == [1, 2]


def test_what_cannot_be_wrapped_is_an_option_that_is_wrong() -> None:
    """The message names the option, whose it is, and what is wrong with it; so it does for one that wraps itself."""
    with pytest.raises(OptionError, match=r"option 'wrapped' of Counted: .*nowhere-at-all"):
        Counted("nowhere-at-all")
    with pytest.raises(OptionError, match=r"option 'wrapped' of WrapsItself leads back to WrapsItself"):
        WrapsItself()


class WrapsItself(WrappingExecutor):
    """Names itself."""

    def __init__(self, wrapped: Any = None) -> None:
        super().__init__(WrapsItself)
