"""A row of the table: what was measured, beside what, and whether a budget holds."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, Self

import attrs

_HOLDS = {"≤": operator.le, "≥": operator.ge}


@attrs.frozen
class Budget:
    """A promise about the measure of a row. sense: "≤" or "≥"; limit: in the unit of the row's measure."""

    sense: str
    limit: float

    def holds(self, measure: float) -> bool:
        """Whether the measure keeps it."""
        return bool(_HOLDS[self.sense](measure, self.limit))


@attrs.frozen(kw_only=True)
class Row:
    """What was measured.

    subject: the module that measured it; what: in words, with the number of tasks.
    ours_us, theirs_us: microseconds, per task where there are tasks; None where time is not what is measured.
    theirs_name: what stands beside turgo. None where there is nothing.
    ratio: the measure that the budget is about; unit: its unit, "x" if it is a ratio of the two.
    budget: the promise, None for a row that is there to be compared with. later: no promise of today.
    figures: what was measured on the way, by name: for the JSON, and for the plot that is drawn from it.
    """

    subject: str
    what: str
    ours_us: float | None = None
    theirs_us: float | None = None
    theirs_name: str | None = None
    ratio: float
    unit: str = "x"
    budget: Budget | None = None
    later: bool = False
    figures: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def holds(self) -> bool | None:
        """Whether the budget holds; None without one."""
        return None if self.budget is None else self.budget.holds(self.ratio)

    @property
    def verdict(self) -> str:
        """One word on the budget; nothing without one."""
        if self.holds is None:
            return ""
        if self.later:
            return "not yet" if not self.holds else "holds already"
        return "holds" if self.holds else "BROKEN"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**attrs.asdict(self), "holds": self.holds, "verdict": self.verdict}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """The row of which `as_dict` made this."""
        fields = {field.name: given[field.name] for field in attrs.fields(cls)}
        return cls(**{**fields, "budget": given["budget"] and Budget(**given["budget"])})


def slower(subject: str, what: str, ours: float, theirs: float, name: str, limit: float | None = None) -> Row:
    """How many times as long as theirs ours takes, in seconds (per task); at most `limit` times."""
    return _compared(subject, what, ours, theirs, name, ours / theirs, limit and Budget("≤", limit))


def faster(subject: str, what: str, ours: float, theirs: float, name: str, limit: float | None = None) -> Row:
    """How many times as long as ours theirs takes, in seconds (per task); at least `limit` times."""
    return _compared(subject, what, ours, theirs, name, theirs / ours, limit and Budget("≥", limit))


def _compared(
    subject: str, what: str, ours: float, theirs: float, name: str, ratio: float, budget: Any
) -> Row:
    return Row(
        subject=subject,
        what=what,
        ours_us=ours * 1e6,
        theirs_us=theirs * 1e6,
        theirs_name=name,
        ratio=ratio,
        budget=budget or None,
    )
