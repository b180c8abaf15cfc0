"""What the doctor found. Each finding has a topic, a sentence and, if something is wrong, the line that mends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from turgo.observers.tables import wrapped

OK, NOTE, WRONG = "ok", "note", "WRONG"
"""How bad a finding is: a NOTE may matter or not, with something WRONG a run fails or is not what was asked for."""

TOPIC_WIDTH = 11
MARK_WIDTH = 7


@attrs.frozen
class Finding:
    """One thing that was looked at. topic: of what; text: in words; mend: a line to type, or what to change."""

    topic: str
    text: str
    mark: str = OK
    mend: str = ""

    def lines(self, width: int | None) -> Iterator[str]:
        """It for people. width: of a line, in characters; None for any."""
        first = f"{self.topic:<{TOPIC_WIDTH}}{self.mark:<{MARK_WIDTH}}"
        for number, line in enumerate(self.text.splitlines() or [""]):
            yield from wrapped(line, width, first=" " * len(first) if number else first)
        if self.mend:
            yield f"{' ' * len(first)}-> {self.mend}"  # whole, so that it can be copied


def text(findings: Iterable[Finding], width: int | None) -> str:
    """All of them, and how many there are."""
    found = list(findings)
    lines = [line for each in found for line in each.lines(width)]
    wrong = sum(each.mark == WRONG for each in found)
    notes = sum(each.mark == NOTE for each in found)
    end = f"{wrong} wrong" if wrong else "nothing is wrong"
    if notes:
        end += f", {notes} to know of"
    return "\n".join([*lines, "", end])


def record(findings: Iterable[Finding]) -> dict[str, Any]:
    """They for machines."""
    found = list(findings)
    return {
        "ok": all(each.mark != WRONG for each in found),
        "findings": [attrs.asdict(each) | {"mark": each.mark.lower()} for each in found],
    }
