"""Where the time of the slots went: into calls, or not, and if not whether there was something to do.

    slots  |████ calls ████|░ overhead ░|· idle ·|

At each moment as many slots are busy as calls run. A slot that is not, while a call is ready (all that it waits for
is over), is overhead: a call is being sent or started, or results are read. A slot that is not, with no call ready, is
idle: the graph offers no more. A call that is tried again counts as ready when its next attempt begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from turgo.outlines.structure import Structure
from turgo.records.ledger import Key, Ledger
from turgo.run_report.calls import OVERLAP_SECONDS, Call, keys_of, upstream_of

_Event = tuple[float, int, int]
"""A moment, and by how many the running and the waiting calls change then."""


class TimeShares(NamedTuple):
    """In seconds of slots; slots: how many there were, or more if more calls ran at once."""

    slots: int
    calls: float
    overhead: float
    idle: float

    @property
    def whole(self) -> float:
        """All of it."""
        return self.calls + self.overhead + self.idle


def time_shares(
    ledger: Ledger, structure: Structure, calls: Sequence[Call], slots: int, began: float, ended: float
) -> TimeShares:
    """The shares between two moments, in seconds since the epoch, on so many slots."""
    ready = _ready(ledger, structure, calls, began)
    events: list[_Event] = []
    for call in calls:
        start, end = max(call.began, began), min(call.end, ended)
        events += [(start, 1, 0), (max(start, end), -1, 0)]
        if call.attempt == 1 and ready[call.key] < start:
            events += [(ready[call.key], 0, 1), (start, 0, -1)]
    events.sort()
    slots = max(slots, _most(calls))
    running = waiting = 0
    busy = overhead = 0.0
    before = began
    for moment, runs, waits in events:
        busy += running * (moment - before)
        overhead += min(slots - running, waiting) * (moment - before)
        before, running, waiting = moment, running + runs, waiting + waits
    whole = slots * max(0.0, ended - began)
    return TimeShares(slots, busy, overhead, max(0.0, whole - busy - overhead))


def _ready(ledger: Ledger, structure: Structure, calls: Sequence[Call], began: float) -> dict[Key, float]:
    """For each task run, when all that it waits for was over."""
    over: dict[Key, float] = {}
    ends: dict[Key, float] = {}
    ready: dict[Key, float] = {}
    for call in calls:
        ends[call.key] = max(call.end, ends.get(call.key, 0.0))
    for key in keys_of(ledger):
        ready[key] = max(
            (over.get(each, began) for each in upstream_of(ledger, structure, key)), default=began
        )
        over[key] = ends.get(key, ready[key])
        if key[1] is not None:
            whole = key[0], None
            over[whole] = max(over.get(whole, began), over[key])
    return ready


def _most(calls: Sequence[Call]) -> int:
    """How many calls ran at once at most; those whose times overlap by a reading of the clock did not."""
    ends = [(max(call.began, call.end - OVERLAP_SECONDS), -1) for call in calls]
    running = most = 0
    for _, runs in sorted([*ends, *((call.began, 1) for call in calls)]):
        running += runs
        most = max(most, running)
    return most
