"""Futures: found among arguments, replaced, bridged, deferred, and done at once."""

import asyncio
import collections
import concurrent.futures
import dataclasses
import sys
import threading
import types
from concurrent.futures import CancelledError, Future
from typing import Any, NamedTuple

import attrs
import pytest

from penstock.deferred import BridgedFuture, DeferredFuture
from penstock.errors import UnresolvableFutureError
from penstock.futures import call_now, failure_of, find, is_future, replace


class Point(NamedTuple):
    x: Any
    y: Any


class Names(list):
    pass


@dataclasses.dataclass
class Record:
    weights: Any


@attrs.frozen
class Frozen:
    weights: Any


class LikeAFuture:
    """The five methods, and nothing of concurrent.futures."""

    def result(self, timeout=None): ...
    def exception(self, timeout=None): ...
    def done(self): ...
    def cancel(self): ...
    def add_done_callback(self, fn): ...


def done(value):
    future = Future()
    future.set_result(value)
    return future


def failed(error):
    future = Future()
    future.set_exception(error)
    return future


def value_of(future):
    return future.result(timeout=20)


def test_anything_with_the_methods_is_a_future():
    """A future is known by its methods, instances only."""
    assert is_future(Future())
    assert is_future(LikeAFuture())
    assert not any(
        is_future(value) for value in (Future, LikeAFuture, None, 1, "text", [], object(), threading)
    )


@pytest.mark.parametrize(
    "shape",
    [
        lambda future: future,
        lambda future: [future],
        lambda future: (0, [future]),
        lambda future: {"a": {"b": [future]}},
        lambda future: {"set": {future}},
        lambda future: frozenset({future}),
        lambda future: Point(future, 2),
        lambda future: Names([future]),
        lambda future: collections.defaultdict(list, a=future),
        lambda future: collections.OrderedDict(a=[future]),
        lambda future: collections.Counter(a=future),
    ],
)
def test_futures_are_found_and_replaced_wherever_they_stand(shape):
    """The future is found, and the same shape, of the same class, holds its value."""
    future = done(7)
    given = shape(future)
    assert list(find(given, "args[0]")) == [future]
    filled = replace(given, value_of)
    assert type(filled) is (int if given is future else type(given))
    assert filled == shape(7)
    assert list(find(given, "args[0]")) == [future], "what was given is unchanged"


def test_parts_without_futures_stay_as_they_are():
    """Only what holds a future is built anew; a Counter is not added to itself."""
    plain, counter = [1, [2]], collections.Counter("aab")
    filled = replace([plain, counter, done(3)], value_of)
    assert filled[0] is plain
    assert filled[1] is counter
    assert filled[2] == 3


def test_a_defaultdict_keeps_its_factory():
    """A defaultdict with a future in it still makes its defaults afterwards."""
    filled = replace(collections.defaultdict(list, a=done(1)), value_of)
    assert filled["new"] == []


def test_a_container_that_holds_itself_is_walked_once():
    """A cycle of lists is no endless walk."""
    future, cycle = done(1), []
    cycle.extend([cycle, future])
    assert list(find(cycle, "x")) == [future]


@pytest.mark.parametrize(
    ("shape", "place"),
    [
        (lambda future: {future: 1}, "args[0]"),
        (lambda future: [{(1, future): 1}], "args[0][0]"),
        (lambda future: Record(future), "args[0].weights"),
        (lambda future: {"a": Frozen([future])}, "args[0]['a'].weights"),
        (lambda future: [Record({"deep": future})], "args[0][0].weights"),
        (lambda future: collections.deque([future]), "args[0]"),
        (lambda future: types.MappingProxyType({"a": future}), "args[0]"),
        (lambda future: collections.UserDict(a=future), "args[0]"),
    ],
)
def test_a_future_that_cannot_be_resolved_is_an_error_with_its_place(shape, place):
    """The error names the place as the caller would write it, and says what to do."""
    with pytest.raises(UnresolvableFutureError, match="Pass the value") as caught:
        list(find(shape(done(1)), "args[0]"))
    assert caught.value.place == place
    assert place in str(caught.value)


def test_a_future_of_asyncio_is_an_error():
    """Its result cannot be waited for in another thread: it is to be awaited first."""

    async def look():
        with pytest.raises(UnresolvableFutureError, match="await it first"):
            list(find([asyncio.get_running_loop().create_future()], "args[0]"))

    asyncio.run(look())


@pytest.mark.parametrize("outcome", [done(1), failed(KeyError("k"))])
def test_a_bridge_takes_on_what_becomes_of_the_other(outcome):
    """Value and error come through."""
    bridge = BridgedFuture()
    bridge.follow(outcome)
    assert bridge.done()
    assert bridge.exception() is outcome.exception()


def test_a_bridge_passes_cancelling_on():
    """A call that waits behind is cancelled too, and both are done for concurrent.futures.wait."""
    inner, bridge = Future(), BridgedFuture()
    bridge.follow(inner)
    assert bridge.cancel()
    assert inner.cancelled()
    assert concurrent.futures.wait([bridge], timeout=20).done == {bridge}


def test_a_bridge_to_a_running_call_is_not_cancelled():
    """cancel() says False, and the value comes."""
    inner, bridge = Future(), BridgedFuture()
    inner.set_running_or_notify_cancel()
    bridge.follow(inner)
    assert not bridge.cancel()
    inner.set_result(1)
    assert bridge.result(timeout=20) == 1


def test_a_bridge_cancelled_before_it_follows_cancels_what_it_follows():
    """Cancelled while the call behind was being made: the call is taken back."""
    inner, bridge = Future(), BridgedFuture()
    assert bridge.cancel()
    bridge.follow(inner)
    assert inner.cancelled()


def test_a_bridge_tells_of_a_value_that_cannot_be_had():
    """Where asking for the value fails, that is the error, and nobody waits for ever."""

    class Lost(Future):
        def result(self, timeout=None):
            raise LookupError("the worker has gone")

    inner, bridge = Lost(), BridgedFuture()
    bridge.follow(inner)
    inner.set_result(1)
    with pytest.raises(LookupError, match="gone"):
        bridge.result(timeout=20)


def test_a_deferred_call_is_made_when_the_last_is_done():
    """Not before, and in whichever order they come."""
    first, second, made = Future(), Future(), []
    deferred = DeferredFuture([first, second, first], lambda: made.append(1) or done("made"))
    second.set_result(2)
    assert made == []
    first.set_result(1)
    assert deferred.result(timeout=20) == "made"
    assert made == [1]


def test_a_deferred_call_takes_on_the_first_error():
    """One that failed is enough; the call is never made."""
    first, second, made = Future(), Future(), []
    deferred = DeferredFuture([first, second], lambda: made.append(1) or done(None))
    second.set_exception(KeyError("second"))
    assert isinstance(deferred.exception(timeout=20), KeyError)
    first.set_result(1)
    assert made == []


def test_a_deferred_call_that_is_cancelled_is_never_made():
    """It is done at once for concurrent.futures.wait, and what comes later changes nothing."""
    first, made = Future(), []
    deferred = DeferredFuture([first], lambda: made.append(1) or done(None))
    assert deferred.cancel()
    assert concurrent.futures.wait([deferred], timeout=20).done == {deferred}
    first.set_result(1)
    assert made == []
    with pytest.raises(CancelledError):
        deferred.result(timeout=20)


def test_a_long_chain_of_calls_that_finish_at_once_is_no_deep_recursion():
    """Five thousand links behind one future, each computed as it is submitted."""
    first = last = Future()
    for _ in range(5000):
        last = DeferredFuture([last], lambda before=last: done(before.result() + 1))
    first.set_result(0)
    assert last.result(timeout=20) == 5000


@pytest.mark.parametrize("end", [lambda first: first.set_exception(KeyError("first")), Future.cancel])
def test_a_long_chain_behind_a_failure_fails_to_its_end(end):
    """The last of five thousand links takes on the error, or is cancelled, as the second does."""
    first = last = Future()
    for _ in range(5000):
        last = DeferredFuture([last], lambda: done(None))
    end(first)
    assert isinstance(failure_of(last), (KeyError, CancelledError))
    assert last.done()


def test_a_call_made_in_the_depth_of_a_chain_is_made_at_once():
    """What is submitted and waited for inside a call is not put off behind the chain that it is part of."""
    first = last = Future()
    for _ in range(100):
        last = DeferredFuture(
            [last], lambda: done(DeferredFuture([done(1)], lambda: done(2)).result(timeout=20))
        )
    first.set_result(0)
    assert last.result(timeout=20) == 2


def test_a_cancelled_future_cancels_what_waits_for_it():
    """A call that depends on a cancelled one is cancelled, not failed."""
    first = Future()
    deferred = DeferredFuture([first], lambda: done(None))
    first.cancel()
    assert deferred.cancelled()
    assert isinstance(failure_of(deferred), CancelledError)


def test_an_error_in_submitting_is_the_error_of_the_deferred_call():
    """What `submit` raises, even to stop the program, leaves nobody waiting."""

    def stop():
        raise KeyboardInterrupt

    first = Future()
    deferred = DeferredFuture([first], stop)
    with pytest.raises(KeyboardInterrupt):
        first.set_result(1)
    assert isinstance(deferred.exception(timeout=20), KeyboardInterrupt)


def test_cancel_and_completion_at_the_same_time_end_in_one_of_the_two():
    """Whoever wins, the future is done, consistently, and nothing is raised."""
    for _ in range(200):
        first, line = Future(), threading.Barrier(2)
        deferred = DeferredFuture([first], lambda: done("made"))

        def finish(first=first, line=line):
            line.wait()
            first.set_result(1)

        thread = threading.Thread(target=finish)
        thread.start()
        line.wait()
        cancelled = deferred.cancel()
        thread.join()
        assert deferred.done()
        assert deferred.cancelled() == cancelled
        assert concurrent.futures.wait([deferred], timeout=20).done == {deferred}


def test_a_call_that_is_made_now_gives_a_future_that_is_done():
    """Value or error are the future's, `SystemExit` too; Ctrl-C is the user's and is raised."""
    assert call_now(pow, 2, exp=3).result(timeout=0) == 8
    assert isinstance(call_now(int, "x").exception(timeout=0), ValueError)
    assert isinstance(call_now(sys.exit, 3).exception(timeout=0), SystemExit)
    with pytest.raises(KeyboardInterrupt):
        call_now(interrupted)


def interrupted():
    raise KeyboardInterrupt
