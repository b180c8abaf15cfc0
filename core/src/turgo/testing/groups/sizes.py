"""Arguments and values of every size and depth; `huge` says how many bytes are many.

Large values are compared before they are asserted: pytest would take long to write down in what they differ.
"""

from __future__ import annotations

import hashlib
from typing import Any

from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Sizes(Checks):
    """Nothing is cut short, and nothing is too much."""

    @rule("a huge argument arrives whole")
    def test_huge_arguments_arrive(self) -> None:
        load = bytes(range(256)) * (self.huge // 256)
        assert self.value(self.running().submit(_digest, load)) == hashlib.sha256(load).hexdigest()

    @rule("a huge value comes whole")
    def test_huge_values_come(self) -> None:
        value = self.value(self.running().submit(calls.zeros, self.huge))
        whole = value == bytes(self.huge)
        assert whole, f"{len(value)} of {self.huge} bytes came"

    @rule("a huge value goes from call to call whole")
    def test_huge_values_go_on(self) -> None:
        value = self.running().submit(calls.zeros, self.huge)
        assert (
            self.value(self.running().submit(len, self.running().submit(calls.identity, value))) == self.huge
        )

    @rule("several large values may be under way at once, each whole")
    def test_large_values_together(self) -> None:
        futures = self.running().map(calls.zeros, [self.huge // 8] * 8)
        assert [len(value) for value in self.running().wait(futures)] == [self.huge // 8] * 8

    @rule("a value nested 100 deep comes as it is")
    def test_deep_values_come(self) -> None:
        value: Any = "core"
        for _ in range(100):
            value = [value]
        assert self.value(self.running().submit(calls.identity, value)) == value

    @rule("a container of 100,000 entries arrives and comes back")
    def test_wide_values_come(self) -> None:
        value = {number: str(number) for number in range(100_000)}
        came = self.value(self.running().submit(calls.identity, value))
        whole = came == value
        assert whole, f"{len(came)} of {len(value)} entries came"

    @rule("a call may have 1,000 arguments")
    def test_many_arguments_arrive(self) -> None:
        args, _ = self.value(self.running().submit(calls.given, *range(1000)))
        whole = args == tuple(range(1000))
        assert whole, f"{len(args)} of 1000 arguments arrived"


def _digest(load: bytes) -> str:
    return hashlib.sha256(load).hexdigest()
