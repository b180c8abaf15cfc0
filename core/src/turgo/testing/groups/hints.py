"""`extra_context`: hints that may be honoured or ignored, and never do harm."""

from __future__ import annotations

import copy
from typing import Any

from turgo.testing import calls
from turgo.testing.checks import Checks, rule


class Hints(Checks):
    """`task_name`, `task_index`, `task_tags`, `task_timeout`, `task_seconds`, and others that are still to come."""

    @rule(
        "extra_context is a hint: it never reaches the function, and every part of it may be missing or odd"
    )
    def test_hints_are_hints(self) -> None:
        self._run_with(
            None,
            {},
            {"task_name": "measure"},
            {"task_name": "měřit/ 1", "task_index": 0, "task_tags": ("conformance", "a=b")},
            {"task_index": None, "task_tags": []},
            {"task_seconds": 1e-9},
            {"task_seconds": 1e9},
        )

    @rule("a hint that the executor does not know is passed over: the contract grows by them")
    def test_unknown_hints_are_passed_over(self) -> None:
        self._run_with({"task_colour": "blue"}, {"task_name": "a", "task_weight": 3, "": None})

    @rule("names of tasks may be empty, long, or hold any character; indices may be large")
    def test_names_of_any_kind(self) -> None:
        names = ["", "n" * 1000, "a\nb\tc", "../../etc", "('x', 0)", "{}%s", "☃-1-2", "lambda"]
        self._run_with(*({"task_name": name, "task_index": 10**9} for name in names))

    @rule("tags may be many, and of any wording; those that mean nothing to the executor are passed over")
    def test_tags_of_any_kind(self) -> None:
        self._run_with(
            {"task_tags": [f"tag-{number}" for number in range(200)]},
            {"task_tags": ("", "=", "a=b=c", "key:value", "ünï ☃")},
            {"task_tags": ["twice", "twice"]},
        )

    @rule("submit and map leave the extra_context that they are given as it is")
    def test_hints_are_not_changed(self) -> None:
        context: Any = {"task_name": "kept", "task_index": 3, "task_tags": ["a"]}
        before = copy.deepcopy(context)
        self.value(self.running().submit(calls.nothing, extra_context=context))
        self.running().wait(self.running().map(calls.identity, [1, 2], extra_context=context))
        assert context == before

    def _run_with(self, *contexts: Any) -> None:
        futures = [self.running().submit(calls.given, 1, extra_context=context) for context in contexts]
        assert [self.value(future) for future in futures] == [((1,), {})] * len(contexts)
