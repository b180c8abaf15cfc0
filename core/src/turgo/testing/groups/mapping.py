"""`map`: one call per element."""

from __future__ import annotations

from typing import Any

from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Mapping(Checks):
    """`executor.map(fn, *iterables, extra_context=None)`."""

    @rule("map gives a list of futures, one for each element, in their order")
    def test_one_call_per_element(self) -> None:
        futures = self.running().map(calls.add, range(25))
        assert isinstance(futures, list)
        assert [self.value(future) for future in futures] == list(range(1, 26))

    @rule("map over several iterables ends with the shortest")
    def test_the_shortest_ends(self) -> None:
        futures = self.running().map(calls.add, [1, 2, 3], iter([10, 20]))
        assert [self.value(future) for future in futures] == [11, 22]

    @rule("map over nothing gives an empty list")
    def test_nothing_gives_nothing(self) -> None:
        assert self.running().map(calls.identity, []) == []

    @rule("map takes generators, and elements that are futures or hold some")
    def test_elements_of_every_kind(self) -> None:
        one = self.running().submit(calls.identity, 1)
        elements: list[Any] = [one, [one, 2], "text", None]
        futures = self.running().map(calls.identity, (element for element in elements))
        assert [self.value(future) for future in futures] == [1, [1, 2], "text", None]

    @rule("an element that fails fails alone")
    def test_elements_fail_alone(self) -> None:
        good, bad, late = self.running().map(calls.add, [1, "one", 3], [1, 1, 1])
        assert isinstance(self.error(bad), TypeError)
        assert [self.value(good), self.value(late)] == [2, 4]

    @rule("map passes extra_context on as a hint, which never reaches the function")
    def test_hints_of_map_are_hints(self) -> None:
        futures = self.running().map(
            calls.given, [1, 2], extra_context={"task_name": "m", "task_tags": ["a"]}
        )
        assert [self.value(future) for future in futures] == [((1,), {}), ((2,), {})]

    @rule("map returns at once: it waits for none of its calls")
    def test_map_never_blocks(self) -> None:
        self.needs_waiting_calls()
        with self.folder() as folder:
            gate = str(folder / "gate")
            futures = self.running().map(calls.wait_for, [gate] * 3, [self.patience / 3] * 3)
            (folder / "gate").touch()
            assert all(self.value(future) for future in futures), "map came back when its calls were over"
