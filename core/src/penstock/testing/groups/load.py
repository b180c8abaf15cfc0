"""Many calls."""

from __future__ import annotations

from penstock.testing import calls
from penstock.testing.checks import Checks, rule


class Load(Checks):
    """Nothing is lost when there is much of it; `load` says how much."""

    @rule("many calls give each its own value, in order")
    def test_many_calls(self) -> None:
        futures = self.running().map(calls.identity, range(self.load))
        assert self.running().wait(futures) == list(range(self.load))

    @rule("many futures can be the argument of one call")
    def test_many_futures_in_one_call(self) -> None:
        futures = self.running().map(calls.identity, range(self.load // 5))
        assert self.value(self.running().submit(sum, futures)) == sum(range(self.load // 5))

    @rule("many failures among many calls fail each its own call")
    def test_many_failures(self) -> None:
        elements = [number if number % 2 else "even" for number in range(self.load // 5)]
        futures = self.running().map(calls.add, elements)
        failed = [future.exception(timeout=self.patience) is not None for future in futures]
        assert failed == [isinstance(element, str) for element in elements]
