"""The outline as a tree: what a task makes possible stands below it. On a terminal rich draws it.

    census
      find
        measure ×758  757 Success, 1 Failed
          summarise  also needs find

A box stands below the one of its upstreams that is over last. Where boxes were drawn together, or lie too deep for a
line, there is a line for each of them, by level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import attrs

from turgo.outlines.colours import colour_of
from turgo.outlines.shapes import Arrow, Box, Kind, Shapes

if TYPE_CHECKING:
    from rich.tree import Tree

MOST_LEVELS = 12
"""Of a tree that is deeper, the lines would begin too far to the right."""


class Line(NamedTuple):
    """depth: from 0 on; box: which; words: what is said after its label."""

    depth: int
    box: Box
    words: str


def plain_lines(shapes: Shapes) -> Iterator[str]:
    """Lines for a pipe: a level is two spaces."""
    yield shapes.heading
    for line in _lines(shapes):
        yield f"{'  ' * (line.depth + 1)}{line.box.label}{line.words}"


def terminal_text(shapes: Shapes, width: int, *, colour: bool) -> str:
    """The tree for a terminal of so many characters, with the colours of states."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(shapes.heading, style="bold"))
    open_branches = [tree]
    for line in _lines(shapes):
        text = Text(line.box.label, style=colour_of(line.box).terminal if line.box.states else "bold")
        text.append(line.words, style="not bold default")
        branch: Tree = open_branches[line.depth].add(text)
        open_branches[line.depth + 1 :] = [branch]
    console = Console(width=width, force_terminal=colour, no_color=not colour, legacy_windows=False)
    with console.capture() as captured:
        console.print(tree, highlight=False)
    return "\n".join(each.rstrip() for each in captured.get().rstrip("\n").split("\n"))


def _lines(shapes: Shapes) -> Iterator[Line]:
    depths = _depths(shapes)
    if shapes.note or max(depths, default=0) >= MOST_LEVELS:
        for box in shapes.boxes:
            yield Line(0, box, _words(f"level {box.level}", *box.words, box.counts))
        return
    names = _names(shapes)
    needs: list[list[Arrow]] = [[] for _ in shapes.boxes]
    for arrow in shapes.arrows:
        needs[arrow.target].append(arrow)
    below: dict[int | None, list[int]] = {}
    for number, arrows in enumerate(needs):
        parent = max((each.source for each in arrows), key=lambda each: (depths[each], each), default=None)
        below.setdefault(parent, []).append(number)
    waiting = [(number, None) for number in reversed(below.get(None, []))]
    rows: list[tuple[int, int | None]] = list(waiting)
    while rows:
        number, parent = rows.pop()
        box = shapes.boxes[number]
        more = [
            names[each.source] for each in needs[number] if each.source != parent and each.kind is Kind.VALUE
        ]
        after = [names[each.source] for each in needs[number] if each.kind is Kind.AFTER]
        said = [f"also needs {', '.join(more)}"] if more else []
        said += [f"after {', '.join(after)}"] if after else []
        yield Line(depths[number], _named(box, names[number]), _words(*box.words, box.counts, *said))
        rows += [(each, number) for each in reversed(below.get(number, []))]


def _named(box: Box, name: str) -> Box:
    return box if box.name == name else attrs.evolve(box, name=name)


def _words(*words: str) -> str:
    said = ", ".join(filter(None, words))
    return f"  {said}" if said else ""


def _depths(shapes: Shapes) -> list[int]:
    """The place of each box on the longest way to it; arrows lead to boxes that stand behind."""
    depths = [0] * len(shapes.boxes)
    if not shapes.note:
        for arrow in sorted(shapes.arrows, key=lambda each: each.target):
            depths[arrow.target] = max(depths[arrow.target], depths[arrow.source] + 1)
    return depths


def _names(shapes: Shapes) -> list[str]:
    """The name of each box; of several that share one, with a number."""
    total, seen = Counter(box.name for box in shapes.boxes), Counter[str]()
    found = []
    for box in shapes.boxes:
        seen[box.name] += 1
        found.append(f"{box.name} #{seen[box.name]}" if total[box.name] > 1 else box.name)
    return found
