"""Futures among the arguments: the function sees their values, wherever they stand."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
from typing import Any

import pytest

from turgo.errors import UnresolvableFutureError
from turgo.testing import calls
from turgo.testing.checks import Checks, rule


@dataclasses.dataclass
class Record:
    """A record, whose fields are not walked."""

    weights: Any


class NestedFutures(Checks):
    """No future ever reaches the function."""

    @rule("a future as an argument, positional or keyword, arrives as its value")
    def test_futures_arrive_as_values(self) -> None:
        two = self.running().submit(calls.add, 1, 1)
        assert self.value(self.running().submit(calls.add, two, second=two)) == 4

    @rule("futures nested in lists, tuples, dicts and sets arrive as values, in the same shape")
    def test_nested_futures_arrive(self) -> None:
        one, two = self.running().map(calls.identity, [1, 2])
        future = self.running().submit(
            calls.identity, {"a": [one, (two, 3)], "b": {"c": {one}, "d": frozenset({two})}}
        )
        assert self.value(future) == {"a": [1, (2, 3)], "b": {"c": {1}, "d": frozenset({2})}}

    @rule("containers keep their class: named tuples, defaultdicts, ordered dicts")
    def test_containers_keep_their_class(self) -> None:
        one = self.running().submit(calls.identity, 1)
        shape: list[Any] = [
            calls.Pair(one, 2),
            collections.defaultdict(list, a=one),
            collections.OrderedDict(b=one),
        ]
        came = self.value(self.running().submit(calls.identity, shape))
        assert came == [(1, 2), {"a": 1}, {"b": 1}]
        assert [type(item) for item in came] == [calls.Pair, collections.defaultdict, collections.OrderedDict]

    @rule("a future that somebody else makes is resolved too, and submit does not wait for it")
    def test_foreign_futures_are_resolved(self) -> None:
        foreign: concurrent.futures.Future[int] = concurrent.futures.Future()
        future = self.running().submit(calls.add, [foreign], [1])
        assert not future.done()
        foreign.set_result(5)
        assert self.value(future) == [5, 1]

    @rule("the error of a future among the arguments is the error of the call, which never begins")
    def test_failed_arguments_fail_the_call(self) -> None:
        with self.folder() as folder:
            sign = folder / "sign"
            failed = self.running().submit(calls.fail, "upstream")
            future = self.running().submit(calls.value_when, str(sign), failed, 0.0)
            error = self.error(future)
        assert isinstance(error, ValueError)
        assert error.args == ("upstream",)

    @rule("submit raises UnresolvableFutureError for a future that it cannot resolve, and names the place")
    def test_unresolvable_places_are_named(self) -> None:
        one = self.running().submit(calls.identity, 1)
        self.value(one)
        with pytest.raises(UnresolvableFutureError) as caught:
            self.running().submit(calls.identity, [0, Record(weights=one)])
        assert caught.value.place == "args[0][1].weights"

    @rule("containers that are given stay as they are: the futures in them are not replaced there")
    def test_given_containers_are_kept(self) -> None:
        one = self.running().submit(calls.identity, 1)
        given = [one, {"a": one}]
        assert self.value(self.running().submit(calls.identity, given)) == [1, {"a": 1}]
        assert given[0] is one and given[1] == {"a": one}, f"the list that was given is {given} now"

    @rule("one future may be an argument of many calls, and keeps its value")
    def test_futures_are_shared(self) -> None:
        one = self.running().submit(calls.identity, 1)
        futures = [self.running().submit(calls.add, one, number) for number in range(10)]
        assert [self.value(future) for future in futures] == list(range(1, 11))
        assert self.value(one) == 1

    @rule("calls that depend on each other in a chain run in its order, without anyone waiting between")
    def test_chains_run(self) -> None:
        future = self.running().submit(calls.identity, 0)
        for _ in range(30):
            future = self.running().submit(calls.add, future, 1)
        assert self.value(future) == 30

    @rule("a call that waits for another takes no slot from it")
    def test_waiting_calls_take_no_slot(self) -> None:
        upstream: concurrent.futures.Future[int] = concurrent.futures.Future()
        waiting = [self.running().submit(calls.add, upstream, 0) for _ in range(3 * self.running().slots)]
        try:
            assert self.value(self.running().submit(calls.identity, "free")) == "free"
        finally:
            upstream.set_result(1)
        assert {self.value(future) for future in waiting} == {1}
