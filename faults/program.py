"""`Program`: the random flow of one run, as data, and what comes of it.

    drawn(random) ──> nodes ──> plan.json ──> flow.py records them
                        └─────> values(): what each call gives, computed here without turgo

Each call has a key of its own and takes some milliseconds; some fail before they succeed, some give a large value.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from typing import Any

import attrs

from faults.flow import MODULUS

MOST_SECONDS = 0.02
"""How long a call may take."""

LARGE_BYTES = 100_000

Call = dict[str, Any]


@attrs.define
class Node:
    """One or several calls of a task of that name. inputs: names of nodes; options: of the task."""

    name: str
    kind: str
    calls: list[Call]
    inputs: list[str] = attrs.field(factory=list)
    options: dict[str, Any] = attrs.field(factory=dict)


@attrs.define
class Program:
    """Nodes in the order in which they are recorded. returned: names of those whose values the flow returns."""

    nodes: list[Node]

    @property
    def returned(self) -> list[str]:
        """Those that are no input of another one."""
        read = {name for node in self.nodes for name in node.inputs}
        return [node.name for node in self.nodes if node.name not in read]

    def calls(self) -> Iterator[Call]:
        """All that may be made."""
        for node in self.nodes:
            yield from node.calls

    def plan(self) -> dict[str, Any]:
        """For plan.json."""
        return {"nodes": [attrs.asdict(node) for node in self.nodes], "returned": self.returned}

    def values(self) -> dict[str, Any]:
        """What the flow returns if all goes well."""
        made: dict[str, Any] = {}
        for node in self.nodes:
            made[node.name] = _value(node, [made[name] for name in node.inputs])
        return {name: made[name] for name in self.returned}

    def taken(self) -> set[str]:
        """The keys of calls that are made if all goes well: all but those of branches that are not taken."""
        made: dict[str, Any] = {}
        keys: set[str] = set()
        for node in self.nodes:
            inputs = [made[name] for name in node.inputs]
            made[node.name] = _value(node, inputs)
            if node.kind == "branch":
                keys |= {call["key"] for call in _taken(node, inputs)}
            else:
                keys |= {call["key"] for call in node.calls}
        return keys


def drawn(chance: random.Random, folder: str) -> Program:
    """A program of some eighty calls. folder: where they write down that they begin and end."""
    draft = Draft(chance, folder)
    draft.add("map", chance.randint(10, 35), [], flaky=True)
    for kind in chance.choices(["map", "over", "chain", "gather", "branch", "large"], k=chance.randint(3, 6)):
        draft.add_some(kind)
    draft.add("gather", 1, [draft.some("map")])
    return Program(draft.nodes)


@attrs.define
class Draft:
    """The nodes so far."""

    chance: random.Random
    folder: str
    nodes: list[Node] = attrs.field(factory=list)

    def some(self, *kinds: str) -> str:
        """The name of a node, of one of these kinds."""
        return self.chance.choice([node for node in self.nodes if not kinds or node.kind in kinds]).name

    def add_some(self, kind: str) -> None:
        """One node of a kind, or two that belong together."""
        chance = self.chance
        if kind == "map":
            self.add("map", chance.randint(5, 25), [], flaky=chance.random() < 0.5)
        elif kind == "over":
            above = self.some("map")
            width = next(len(node.calls) for node in self.nodes if node.name == above)
            self.add("map", width, [above], flaky=chance.random() < 0.3)
        elif kind == "large":
            self.add("map", chance.randint(4, 12), [], size=LARGE_BYTES)
            self.add("map", len(self.nodes[-1].calls), [self.nodes[-1].name])
        elif kind == "gather":
            self.add("gather", 1, [self.some(), self.some()])
        else:
            if all(node.kind == "map" for node in self.nodes):
                self.add("chain", 2, [])
            single = self.some("chain", "gather", "branch")
            self.add(kind, 4 if kind == "branch" else chance.randint(4, 20), [single])

    def add(self, kind: str, width: int, inputs: list[str], *, flaky: bool = False, size: int = 0) -> None:
        """One node."""
        name, chance = f"{kind}{len(self.nodes)}", self.chance
        calls = [self._call(f"{name}-{number}", flaky=flaky, size=size) for number in range(width)]
        if kind == "branch":  # the first and the third say which of the others are made
            calls[0]["modulus"] = calls[2]["modulus"] = 2
        options: dict[str, Any] = {"retries": 2, "retry_delay": 0.05} if flaky else {}
        if not flaky and chance.random() < 0.2:
            options["idempotent"] = False
        elif chance.random() < 0.15:
            options["batch"] = False
        self.nodes.append(Node(name, kind, calls, inputs, options))

    def _call(self, key: str, *, flaky: bool, size: int) -> Call:
        return {
            "key": key,
            "folder": self.folder,
            "seconds": round(self.chance.uniform(0, MOST_SECONDS), 4),
            "fails": int(flaky and self.chance.random() < 0.15),
            "size": size,
            "act": None,
            "modulus": MODULUS,
        }


def number(value: Any) -> int:
    """What counts of a value: that of a list is a sum."""
    return sum(map(number, value)) if isinstance(value, list) else int(value or 0)


def _of(call: Call, *inputs: Any) -> int:
    return (zlib.crc32(call["key"].encode()) + sum(map(number, inputs))) % int(call["modulus"])


def _value(node: Node, inputs: list[Any]) -> Any:
    calls = node.calls
    if node.kind == "map":
        return [
            _of(call, *(each[at] if isinstance(each, list) else each for each in inputs))
            for at, call in enumerate(calls)
        ]
    if node.kind == "chain":
        value: Any = inputs[0] if inputs else None
        for call in calls:
            value = _of(call, value)
        return value
    if node.kind == "branch":
        even, first, odd, second = (_of(call, inputs[0]) for call in calls)
        return first if even == 0 else second if odd == 1 else -1
    return _of(calls[0], inputs)


def _taken(node: Node, inputs: list[Any]) -> list[Call]:
    even, first, odd, second = node.calls
    taken = [even, odd]
    if _of(even, inputs[0]) == 0:
        taken.append(first)
    if _of(odd, inputs[0]) == 1:
        taken.append(second)
    return taken
