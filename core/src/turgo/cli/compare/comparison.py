"""The trials of several executors side by side; the first one is what the others are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import Any

import attrs

from turgo.cli.compare.differences import differences
from turgo.cli.compare.trial import Trial
from turgo.records.amounts import short_duration, size

SMALL_SHARE = 0.1
"""A speed-up below it is shown by its first digit that is not 0."""


@attrs.frozen(slots=False)
class Entry:
    """The trials on one executor. unlike: where their results differ from the first one's."""

    name: str
    trials: Sequence[Trial]
    unlike: tuple[str, ...] = ()

    @cached_property
    def failure(self) -> str:
        """Why one of them has no result; empty if all have."""
        return next((each.failure for each in self.trials if each.failure), "")

    def middle(self, measure: str) -> float:
        """The median of a measure."""
        return float(median(getattr(each, measure) for each in self.trials))

    @property
    def total_seconds(self) -> float:
        """The median of what a run took with the start of its executor."""
        return median(each.start_seconds + each.seconds for each in self.trials)

    @property
    def peak_bytes(self) -> int:
        """The most that any of them held."""
        return max(each.peak_bytes for each in self.trials)


@attrs.frozen
class Comparison:
    """What `turgo compare` shows. flow: its name; entries: in the order in which they were asked for."""

    flow: str
    entries: Sequence[Entry]

    @classmethod
    def of(cls, flow: str, trials: Mapping[str, Sequence[Trial]]) -> Comparison:
        """With the results of all trials compared with the first one that there is."""
        results = [each for same in trials.values() for each in same if not each.failure]
        entries = []
        for name, same in trials.items():
            unlike = [differences(results[0].result, each.result) for each in same if not each.failure]
            entries.append(Entry(name, same, tuple(next(filter(None, unlike), ()))))
        return cls(flow, entries)

    @property
    def agree(self) -> bool:
        """Whether there is a result of each trial, and all are equal."""
        return not any(entry.failure or entry.unlike for entry in self.entries)

    def rows(self) -> tuple[list[str], list[list[str]]]:
        """The titles of the columns, and a row for each executor."""
        titles = [
            "executor",
            "slots",
            "start",
            "time",
            "speed-up",
            "overhead a task",
            "bytes moved",
            "memory",
        ]
        base = self.entries[0].middle("seconds")
        rows = []
        for entry in self.entries:
            seconds = entry.middle("seconds")
            figures = [
                f"{entry.middle('slots'):.0f}",
                short_duration(entry.middle("start_seconds")),
                _times(entry),
                _factor(base / seconds) if seconds else "",
                short_duration(entry.middle("overhead_seconds")),
                size(entry.middle("moved_bytes")),
                size(entry.peak_bytes) if entry.peak_bytes else "",
            ]
            rows.append([entry.name, *(["", "", "failed", *[""] * 4] if entry.failure else figures)])
        return titles, rows

    def verdict(self) -> list[str]:
        """Whether the results are equal, in sentences."""
        first = next((entry.name for entry in self.entries if not entry.failure), "")
        lines = [f"{entry.name} failed: {entry.failure}" for entry in self.entries if entry.failure]
        for entry in self.entries:
            whom = "of another time" if entry.name == first else f"of {first}"
            lines += [f"{entry.name} differs from that {whom}: {each}" for each in entry.unlike]
        if not lines:
            count = sum(len(entry.trials) for entry in self.entries)
            lines = [f"the results of all {count} runs are equal"]
        return lines

    def record(self) -> dict[str, Any]:
        """It for machines."""
        hidden = attrs.filters.exclude(attrs.fields(Trial).result)
        return {
            "flow": self.flow,
            "agree": self.agree,
            "executors": [
                {
                    "name": entry.name,
                    "differences": list(entry.unlike),
                    "trials": [
                        attrs.asdict(each, filter=hidden) | {"overhead_seconds": each.overhead_seconds}
                        for each in entry.trials
                    ],
                }
                for entry in self.entries
            ],
        }


def _times(entry: Entry) -> str:
    """The median, and if there are several the quickest and the slowest."""
    seconds = sorted(each.seconds for each in entry.trials)
    spread = f" ({short_duration(seconds[0])} to {short_duration(seconds[-1])})" if len(seconds) > 1 else ""
    return short_duration(median(seconds)) + spread


def _factor(factor: float) -> str:
    return f"{factor:.2f}" if factor >= SMALL_SHARE else f"{factor:.1g}"
