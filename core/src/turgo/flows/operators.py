"""Operators on results: `case` and `merge` for branches, `flatten` for nested lists.

    with case(kind(path), "table"):        kind(path) is known only when the flow runs
        rows = read_table(path)            Skipped unless it is "table"
    with case(kind(path), "image"):
        pixels = read_image(path)
    found = merge(rows, pixels)            of the branch that was taken

A `case` records one task, the guard, that is Skipped if the value is another one. The tasks that are recorded inside
are tied to it (all that are not so already, by an upstream inside), and whether it was skipped comes before what their
triggers say. The engine itself does the merging: it takes no call, and a value of None is a value.

    counts.map(flatten(find.map(folders)))     each call of `find` returns a list; one call of `counts` for each path

What is in lists that are known while the flow is recorded is flattened at once; for a result, that is a task.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any, TypeVar

import attrs

from turgo.errors import GraphError, ParameterError
from turgo.flows.misplaced import refuse_results
from turgo.flows.policy.options import Policy
from turgo.flows.policy.triggers import all_successful
from turgo.flows.results import Recording, Result, current_recorder
from turgo.flows.task import Task
from turgo.worker.functions import chosen, flattened

T = TypeVar("T")


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

flattening = Task(flattened, Policy(), "flatten")
"""The task behind `flatten(…)` of results."""


class case:  # noqa: N801  (reads as a statement: `with case(kind, "table"):`)
    """The tasks that are called inside run only if `condition`, once it is known, is equal to `value`.

    condition: the result of a task, or anything else that `==` compares. Cases may stand within cases, and flows may be
    called inside one. Raises GraphError outside a flow, where `if` does it.
    """

    def __init__(self, condition: Any, value: Any) -> None:
        self._condition = condition
        self._value = value
        self._open: list[tuple[Recording, int]] = []

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


def merge(*branches: T) -> T:
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
    return recorder.call(merging, branches, {})  # type: ignore[return-value]  # it stands for the value


def _collection(nested: Any) -> Any:
    """A result as it is, a collection as a list. Raises ParameterError for anything else."""
    if isinstance(nested, Result):
        return nested
    if isinstance(nested, (str, bytes)) or not isinstance(nested, Iterable):
        raise ParameterError(f"flatten() needs a collection of collections, not {nested!r:.80}")
    return list(nested)


def flatten(nested: Iterable[Iterable[T]]) -> list[T]:
    """One list of the elements of the elements of `nested`; what is nested more deeply stays as it is.

    `nested` may be a mapped result, another result, or a collection that holds results; then a result is returned. Of
    anything else, inside and outside a flow, it returns a list. Raises ParameterError if an element is no collection.
    """
    recorder, elements = current_recorder(), _collection(nested)
    if recorder is None:
        refuse_results("flatten()", [elements])
    elif isinstance(elements, Result) or any(isinstance(each, Result) for each in elements):
        return recorder.call(flattening, (elements,), {})  # type: ignore[return-value]  # it stands for the value
    try:
        return flattened(elements)
    except TypeError as error:
        raise ParameterError(str(error)) from None
