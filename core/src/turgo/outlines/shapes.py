"""What an outline is made of: a box for each task call, a mapped one once, and the arrows between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs


class Kind(StrEnum):
    """What an arrow means: a value is used, `after()` orders, a case was taken."""

    VALUE = "value"
    AFTER = "after"
    CASE = "case"


@attrs.frozen
class Arrow:
    """One box depends on another; both are numbers of boxes."""

    source: int
    target: int
    kind: Kind


@attrs.frozen
class Box:
    """One or more calls of a task that are drawn as one.

    name: of the task; level: how many boxes lie before it on the longest way, in words, "3" or "2 to 9".
    calls: how many there are, None as long as a map does not know; mapped: whether that is to be said.
    words: what else is to be known, as "on gpu". states: how many of its task runs are in each, or will be, if known.
    """

    name: str
    level: str
    calls: int | None
    mapped: bool
    words: tuple[str, ...] = ()
    states: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def label(self) -> str:
        """`measure ×758`, or `measure ×?` as long as nobody knows."""
        if self.calls is None:
            return f"{self.name} ×?"
        return f"{self.name} ×{self.calls:,}" if self.mapped or self.calls != 1 else self.name

    @property
    def counts(self) -> str:
        """`757 Success, 1 Failed`; the state alone of a single one, and of a map that does not know its width."""
        single = self.calls is None or (self.calls == 1 and not self.mapped)
        if len(self.states) == 1 and single:
            return next(iter(self.states))
        return ", ".join(f"{count:,} {state}" for state, count in self.states.items())


@attrs.frozen
class Shapes:
    """All of one graph.

    title: the flow, or its run; note: what was drawn together, in words; empty if nothing was.
    """

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    note: str = ""

    @property
    def heading(self) -> str:
        """The title and the note."""
        return f"{self.title}: {self.note}" if self.note else self.title
