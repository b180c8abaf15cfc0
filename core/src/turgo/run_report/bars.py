"""The bars of the timeline: one for each call, in a lane of its worker; of very many calls, those of a moment together.

worker-1        |measure[0]|measure[1]|
worker-1 (2)         |measure[2]|            as calls of one worker may run at once
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

import attrs

from turgo.records.ledger import Key
from turgo.run_report.calls import OVERLAP_SECONDS, Call

MOST_BARS = 10_000
"""A browser draws that many at once."""

FAILED_BARS = 1_000
"""So many calls that failed have bars of their own, however many calls there are."""


@attrs.frozen
class Bar:
    """lane: its number; began: seconds since the run did; calls: how many it stands for; words: what is said of it."""

    lane: int
    task: str
    began: float
    seconds: float
    calls: int
    words: str
    failed: bool
    attempt: str


@attrs.frozen
class Timeline:
    """lanes: their names; note: what was drawn together, in words; empty if nothing was."""

    lanes: tuple[str, ...]
    bars: tuple[Bar, ...]
    note: str = ""


def timeline(
    calls: Sequence[Call], title: Callable[[Key], str], began: float, most: int = MOST_BARS
) -> Timeline:
    """The bars of these calls, at most so many; a few more where calls failed."""
    lanes, lane_of = _lanes(calls)
    if len(calls) <= most:
        bars = [_bar(call, lane, title, began) for call, lane in zip(calls, lane_of, strict=True)]
        return Timeline(lanes, tuple(bars))
    alone = set([at for at, call in enumerate(calls) if call.failed][:FAILED_BARS])
    bars = [_bar(calls[at], lane_of[at], title, began) for at in sorted(alone)]
    rest = [(calls[at], lane_of[at]) for at in range(len(calls)) if at not in alone]
    bars += _together(rest, began, max(1, most // max(1, len(lanes) * len({call.task for call in calls}))))
    return Timeline(lanes, tuple(bars), f"{len(calls):,} calls are drawn as {len(bars):,} bars")


def _lanes(calls: Sequence[Call]) -> tuple[tuple[str, ...], list[int]]:
    """The names of the lanes, sorted, and the lane of each call."""
    free: dict[str, list[tuple[float, int]]] = {}
    places: list[tuple[str, int]] = [("", 0)] * len(calls)
    for at in sorted(range(len(calls)), key=lambda each: calls[each].began):
        call = calls[at]
        own = free.setdefault(call.worker, [])
        number = len(own)
        if own and own[0][0] <= call.began + OVERLAP_SECONDS:
            number = heapq.heappop(own)[1]
        heapq.heappush(own, (call.end, number))
        places[at] = (call.worker, number)
    numbers = {place: lane for lane, place in enumerate(sorted(set(places)))}
    names = tuple(worker if not number else f"{worker} ({number + 1})" for worker, number in numbers)
    return names, [numbers[place] for place in places]


def _bar(call: Call, lane: int, title: Callable[[Key], str], began: float) -> Bar:
    attempt = f"{call.attempt}" if call.last else f"{call.attempt}, tried again"
    return Bar(lane, call.task, call.began - began, call.seconds, 1, title(call.key), call.failed, attempt)


def _together(rest: Iterable[tuple[Call, int]], began: float, steps: int) -> list[Bar]:
    """One bar for the calls of a task that began in one lane in one of so many steps of time."""
    rest = list(rest)
    end = max((call.began - began for call, _ in rest), default=0.0)
    step = max(end, OVERLAP_SECONDS) * (1 + 1e-9) / steps
    groups: dict[tuple[int, str, int], list[Call]] = {}
    for call, lane in rest:
        groups.setdefault((lane, call.task, int(max(0.0, call.began - began) / step)), []).append(call)
    bars = []
    for (lane, task, _), held in groups.items():
        first, last = min(call.began for call in held), max(call.end for call in held)
        work = sum(call.seconds for call in held)
        failed = sum(call.failed for call in held)
        words = f"{len(held):,} calls of {task}, {work:.3g} s of work"
        words += f", {failed:,} failed" if failed else ""
        bars.append(Bar(lane, task, first - began, last - first, len(held), words, bool(failed), ""))
    return bars
