"""Branches: tasks that run only if a value is such, and what came of whichever branch that was.

    with case(kind(path), "table"):        kind(path) is known only when the flow runs
        rows = read_table(path)            Skipped unless it is "table"
    with case(kind(path), "image"):
        pixels = read_image(path)
    found = merge(rows, pixels)            of the branch that was taken

A `case` records one task, the guard, that is Skipped if the value is another one. The tasks that are recorded inside
are tied to it (all that are not so already, by an upstream inside), and whether it was skipped comes before what their
triggers say. The engine itself does the merging: it takes no call, and a value of None is a value.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import attrs

from penstock.errors import GraphError, ParameterError
from penstock.flows.policy import Policy
from penstock.flows.recording import Recorder
from penstock.flows.results import Result, current_recorder
from penstock.flows.shapes import chosen
from penstock.flows.task import Task
from penstock.triggers import all_successful


def _first(*branches: Any) -> Any:
    """Stands for what the engine does."""
    return branches[0]


guarding = Task(chosen, Policy(), "case")
"""The task behind `case`."""

merging = Task(
    _first,
    Policy(trigger=attrs.evolve(all_successful, name="no branch failed"), skip_on_upstream_skip=False),
    "merge",
)
"""The task behind `merge`."""


class case:  # noqa: N801  (reads as a statement: `with case(kind, "table"):`)
    """The tasks that are called inside run only if `condition`, once it is known, is equal to `value`.

    condition: the result of a task, or anything else that `==` compares. Cases may stand within cases, and flows may be
    called inside one. Raises GraphError outside a flow, where `if` does it.
    """

    def __init__(self, condition: Any, value: Any) -> None:
        self._condition, self._value = condition, value
        self._open: list[tuple[Recorder, int]] = []

    def __enter__(self) -> None:
        recorder = current_recorder()
        if recorder is None:
            raise GraphError("case() was used outside a flow; there, write `if`")
        spread = isinstance(self._condition, Result) and self._condition._mapped
        if spread and not isinstance(self._value, (list, Result)):
            raise GraphError(
                f"case() compares {self._condition!r}, a list, with {self._value!r:.80}; to branch for each element, "
                "call a flow that branches for each of them: [read(path) for path in paths]"
            )
        guard = recorder.call(guarding, (self._condition, self._value), {})
        self._open.append((recorder, guard._node))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        recorder, guard = self._open.pop()
        recorder.guard(guard)


def merge(*branches: Any) -> Any:
    """The value of the first of `branches` that was not skipped; Skipped if all were, failed if one of them failed.

    branches: results, or constants to fall back on. Raises GraphError outside a flow, ParameterError without branches.
    """
    recorder = current_recorder()
    if recorder is None:
        raise GraphError("merge() was used outside a flow, where no branch is skipped")
    if not any(isinstance(branch, Result) for branch in branches):
        raise ParameterError(
            "merge() needs the results of branches, one by one: merge(left, right) or merge(*results)"
        )
    for branch in branches:
        if not isinstance(branch, Result) and recorder.holds_results(branch):
            raise ParameterError(
                f"merge() chooses among results as they are, not among collections of them: {branch!r:.80}. Give them "
                "one by one, merge(*results), or make the collection in a task"
            )
    return recorder.call(merging, branches, {})
