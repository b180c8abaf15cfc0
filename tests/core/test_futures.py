"""Futures: found among arguments, replaced, bridged, deferred, and done at once."""

import asyncio
import collections
import dataclasses
import sys
import threading
import types
from concurrent.futures import Future
from typing import Any, NamedTuple

import attrs
import pytest

from turgo.errors import UnresolvableFutureError
from turgo.futures import call_now, find, is_future, replace


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


def test_a_call_that_is_made_now_gives_a_future_that_is_done():
    """Value or error are the future's, `SystemExit` too; Ctrl-C is the user's and is raised."""
    assert call_now(pow, 2, exp=3).result(timeout=0) == 8
    assert isinstance(call_now(int, "x").exception(timeout=0), ValueError)
    assert isinstance(call_now(sys.exit, 3).exception(timeout=0), SystemExit)
    with pytest.raises(KeyboardInterrupt):
        call_now(interrupted)


def interrupted():
    raise KeyboardInterrupt
