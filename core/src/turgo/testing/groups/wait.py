"""`wait`: values in the place of futures, in the same shape."""

from __future__ import annotations

import collections
from typing import Any

import pytest

from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Wait(Checks):
    """`executor.wait(futures)`."""

    @rule("wait on one future gives its value")
    def test_one_future(self) -> None:
        assert self.running().wait(self.running().submit(calls.add, 1, 1)) == 2

    @rule("wait keeps the shape: lists, tuples, dicts and sets, nested as you like")
    def test_shapes_are_kept(self) -> None:
        one, two, three = self.running().map(calls.identity, [1, 2, 3])
        waited = self.running().wait(
            {"a": [one, (two, [three])], "b": {one, two}, "c": {"d": frozenset({three})}}
        )
        assert waited == {"a": [1, (2, [3])], "b": {1, 2}, "c": {"d": frozenset({3})}}
        assert isinstance(waited["a"][1], tuple)

    @rule("wait keeps the class of containers: named tuples, defaultdicts, ordered dicts")
    def test_classes_are_kept(self) -> None:
        one = self.running().submit(calls.identity, 1)
        waited = self.running().wait(
            [calls.Pair(one, 2), collections.defaultdict(int, a=one), collections.OrderedDict(b=one)]
        )
        assert waited == [(1, 2), {"a": 1}, {"b": 1}]
        assert [type(item) for item in waited] == [
            calls.Pair,
            collections.defaultdict,
            collections.OrderedDict,
        ]

    @rule("what is no future passes through wait unchanged, empty containers and None included")
    def test_the_rest_passes(self) -> None:
        values: list[Any] = [None, 0, "text", [], (), {}, [None, {"a": 1.5}], calls.Counter(1)]
        for value in values:
            assert self.running().wait(value) == value

    @rule("wait gives values in the order of the futures, whichever is done first")
    def test_order_is_kept(self) -> None:
        futures = self.running().map(calls.late, range(4), [0.15, 0.1, 0.05, 0.0])
        assert self.running().wait(futures) == [0, 1, 2, 3]

    @rule("wait raises the error of the first future in the order of the shape that failed")
    def test_the_first_error_is_raised(self) -> None:
        futures = [
            self.running().submit(calls.late, 0, 0.05),
            self.running().submit(calls.fail, "first"),
            self.running().submit(calls.fail_deeply),
        ]
        with pytest.raises(ValueError, match="first"):
            self.running().wait(futures)

    @rule("wait changes nothing of what it is given, which can be waited for again")
    def test_nothing_is_changed(self) -> None:
        futures = self.running().map(calls.identity, [1, 2])
        given, before = {"a": futures}, list(futures)
        assert self.running().wait(given) == {"a": [1, 2]}
        assert given["a"] is futures
        assert all(one is other for one, other in zip(futures, before, strict=True))
        assert self.running().wait(given) == {"a": [1, 2]}
