"""Draws the nodes of a graph together into boxes.

Elements of a map are one box. If there are more boxes than a reader can follow, those of one task that are equally far
from the beginning become one; then levels that are alike, as those of a long chain; then all of a task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import groupby

import attrs

from turgo.outlines.outline import Outline
from turgo.outlines.shapes import Arrow, Box, Kind
from turgo.outlines.structure import Structure

MOST_BOXES = 60
"""A picture of more is no picture: they are drawn together."""

ORDINARY_TRIGGERS = ("all_successful", "no branch failed", "its element is there")
"""Nothing is said of these."""

Group = Hashable


@attrs.frozen
class Nodes:
    """What is known of all nodes. names, indices: as the ledger has them; guards: of nodes within a `case`.

    widths: of the maps whose width is known. states: of a node, how many task runs are in which, or will be; maybe
    none before a run.
    """

    names: Sequence[str]
    indices: Sequence[int | None]
    structure: Structure
    guards: Mapping[int, int]
    widths: Mapping[int, int]
    states: Callable[[int], Mapping[str, int]]

    def mapped(self, node: int) -> bool:
        """Whether it is a map, or an element of one that was recorded one by one."""
        return node in self.structure.follows or self.indices[node] is not None

    def calls(self, node: int) -> int | None:
        """How many calls it is; None if that is not known."""
        return self.widths.get(node) if node in self.structure.follows else 1

    def words(self, node: int) -> tuple[str, ...]:
        """What else is to be said of it."""
        structure, name = self.structure, self.names[node]
        found = [f"== {structure.conditions[node]}"] if node in structure.conditions else []
        found += [f"on {structure.executors[name]}"] if name in structure.executors else []
        trigger = structure.triggers[node]
        found += [] if trigger in ORDINARY_TRIGGERS else [f"trigger {trigger}"]
        return tuple(found)


def outline_of(title: str, nodes: Nodes, most: int = MOST_BOXES) -> Outline:
    """The outline, of at most so many boxes. Nodes stand behind those that they depend on."""
    groups: list[Group] = [*_maps(nodes)]
    count = len(set(groups))
    levels, note = _levels(nodes, groups), ""
    if count > most:
        level_of = [levels[group] for group in groups]
        ways: list[tuple[str, Callable[[], list[Group]]]] = [
            ("for each task of a level", lambda: list(zip(level_of, nodes.names, strict=True))),
            ("for each task of levels that are alike", lambda: _alike(nodes, level_of)),
            ("for each task", lambda: list(nodes.names)),
            ("for each of the tasks that are called most", lambda: _frequent(nodes, most)),
        ]
        for words, way in ways:
            groups = way()
            if len(set(groups)) <= most:
                note = f"{len(nodes.names):,} calls are drawn together, one {words}"
                break
    return _drawn(title, nodes, groups, levels, note)


def _maps(nodes: Nodes) -> Iterable[int]:
    """The group of each node: those that were recorded element by element go with their first."""
    first = 0
    for node, index in enumerate(nodes.indices):
        before = node - 1
        goes_on = index and before >= 0 and nodes.indices[before] == index - 1
        if not (goes_on and _alike_elements(nodes, before, node)):
            first = node
        yield first


def _alike_elements(nodes: Nodes, one: int, other: int) -> bool:
    same_case = nodes.guards.get(one) == nodes.guards.get(other)
    return same_case and nodes.names[one] == nodes.names[other] and one not in nodes.structure.depends[other]


def _levels(nodes: Nodes, groups: Sequence[Group]) -> dict[Group, int]:
    """How far each group is from the beginning, from 1 on."""
    levels: dict[Group, int] = {}
    for node, group in enumerate(groups):
        before = [levels[groups[each]] for each in nodes.structure.upstream(node)]
        levels[group] = max(levels.get(group, 1), 1 + max(before, default=0))
    return levels


def _alike(nodes: Nodes, level_of: Sequence[int]) -> list[Group]:
    """Neighbouring levels of the same tasks are one."""
    contents: dict[int, Counter[str]] = {}
    for level, name in zip(level_of, nodes.names, strict=True):
        contents.setdefault(level, Counter())[name] += 1
    run_of: dict[int, int] = {}
    for number, (_, run) in enumerate(
        groupby(sorted(contents), key=lambda level: sorted(contents[level].items()))
    ):
        run_of.update(dict.fromkeys(run, number))
    return [(run_of[level], name) for level, name in zip(level_of, nodes.names, strict=True)]


def _frequent(nodes: Nodes, most: int) -> list[Group]:
    """Tasks that are called less than others are one box, without a name."""
    kept = {name for name, _ in Counter(nodes.names).most_common(most - 1)}
    return [name if name in kept else "" for name in nodes.names]


def _drawn(
    title: str, nodes: Nodes, groups: Sequence[Group], levels: Mapping[Group, int], note: str
) -> Outline:
    numbers: dict[Group, int] = {}
    members: list[list[int]] = []
    for node, group in enumerate(groups):
        if group not in numbers:
            numbers[group] = len(members)
            members.append([])
        members[numbers[group]].append(node)
    own = _levels(nodes, list(_maps(nodes))) if note else levels
    first_of = list(_maps(nodes))
    boxes = tuple(
        _box(nodes, group, held, sorted({own[first_of[node]] for node in held}))
        for group, held in zip(numbers, members, strict=True)
    )
    arrows: dict[tuple[int, int], Kind] = {}
    for node, group in enumerate(groups):
        guard, after = nodes.guards.get(node), nodes.structure.after.get(node, ())
        for upstream in nodes.structure.upstream(node):
            way = (numbers[groups[upstream]], numbers[group])
            kind = Kind.CASE if upstream == guard else Kind.AFTER if upstream in after else Kind.VALUE
            if way[0] != way[1] and arrows.get(way) is not Kind.VALUE:
                arrows[way] = kind
    return Outline(title, boxes, tuple(Arrow(*way, kind) for way, kind in arrows.items()), note)


def _box(nodes: Nodes, group: Group, held: Sequence[int], levels: Sequence[int]) -> Box:
    calls = [nodes.calls(node) for node in held]
    states: Counter[str] = Counter()
    for node in held:
        states.update(nodes.states(node))
    names = {nodes.names[node] for node in held}
    words = {nodes.words(node) for node in held}
    return Box(
        name=names.pop() if group != "" else f"{len(names):,} other tasks",
        level=f"{levels[0]:,}" if len(levels) == 1 else f"{levels[0]:,} to {levels[-1]:,}",
        calls=None if None in calls else sum(filter(None, calls)),
        mapped=any(map(nodes.mapped, held)),
        words=words.pop() if len(words) == 1 else (),
        states=dict(states),
    )
