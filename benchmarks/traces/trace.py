"""A trace: the tasks of a workflow, how long each took, and which it needed."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs


class TraceError(Exception):
    """The tasks are no workflow: a name stands for two of them or for none, or some wait for one another."""


@attrs.frozen
class TraceTask:
    """One task. kind: what it has in common with others, such as the program; parents: the names of those it needs."""

    name: str
    kind: str
    seconds: float
    parents: tuple[str, ...] = ()


@attrs.define(slots=False, frozen=True)
class Trace:
    """Tasks, none of which stands before one that it needs; `ordered` makes such."""

    name: str
    tasks: tuple[TraceTask, ...]

    @cached_property
    def children(self) -> Mapping[str, list[str]]:
        """The names of those that need a task, by its name."""
        children: dict[str, list[str]] = {task.name: [] for task in self.tasks}
        for task in self.tasks:
            for parent in task.parents:
                children[parent].append(task.name)
        return children

    @cached_property
    def levels(self) -> Mapping[str, int]:
        """How many tasks there are on the longest way from a task to the end, itself counted, by its name."""
        levels: dict[str, int] = {}
        for task in reversed(self.tasks):
            levels[task.name] = 1 + max((levels[child] for child in self.children[task.name]), default=0)
        return levels

    @property
    def ends(self) -> list[str]:
        """The names of those that no other needs."""
        return [task.name for task in self.tasks if not self.children[task.name]]

    @property
    def work(self) -> float:
        """Seconds of all tasks together."""
        return sum(task.seconds for task in self.tasks)

    @property
    def critical_path(self) -> float:
        """Seconds of the longest way through."""
        ends: dict[str, float] = {}
        for task in self.tasks:
            ends[task.name] = task.seconds + max((ends[parent] for parent in task.parents), default=0.0)
        return max(ends.values(), default=0.0)

    def bound(self, slots: int) -> float:
        """Seconds below which no schedule on so many slots comes."""
        return max(self.critical_path, self.work / slots)

    def scaled(self, factor: float) -> Trace:
        """The same with times multiplied."""
        return Trace(
            self.name, tuple(attrs.evolve(task, seconds=task.seconds * factor) for task in self.tasks)
        )


def ordered(name: str, tasks: Iterable[TraceTask]) -> Trace:
    """A trace of the tasks in their own order, save that those that one needs come before it. Raises TraceError."""
    given = list(tasks)
    place = {task.name: at for at, task in enumerate(given)}
    if len(place) < len(given):
        raise TraceError(f"{name}: {_twice(given)!r} is the name of two tasks")
    waits = _waits(name, given, place)
    children: list[list[int]] = [[] for _ in given]
    for at, parents in enumerate(waits):
        for parent in parents:
            children[parent].append(at)
    missing = [len(parents) for parents in waits]
    ready = [at for at, count in enumerate(missing) if not count]  # ascending, so a heap
    order: list[TraceTask] = []
    while ready:
        at = heapq.heappop(ready)
        order.append(given[at])
        for child in children[at]:
            missing[child] -= 1
            if not missing[child]:
                heapq.heappush(ready, child)
    if len(order) < len(given):
        raise TraceError(
            f"{name}: {next(given[at].name for at, n in enumerate(missing) if n)!r} waits for itself"
        )
    return Trace(name, tuple(order))


def _twice(tasks: Iterable[TraceTask]) -> str:
    seen: set[str] = set()
    return next(task.name for task in tasks if task.name in seen or seen.add(task.name))  # type: ignore[func-returns-value]


def _waits(name: str, tasks: Iterable[TraceTask], place: Mapping[str, int]) -> list[set[int]]:
    """The places of the parents of each."""
    waits = []
    for task in tasks:
        for parent in task.parents:
            if parent not in place:
                raise TraceError(f"{name}: {task.name!r} needs {parent!r}, which is no task")
        waits.append({place[parent] for parent in task.parents})
    return waits
