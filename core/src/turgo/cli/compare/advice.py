"""One sentence on which executor to take for a flow, with the reason that the figures give."""

from __future__ import annotations

from turgo.cli.compare.comparison import Comparison, Entry
from turgo.records.amounts import duration, short_duration, size

WORTH_FACTOR = 1.15
"""How much quicker a run has to be to be worth another executor."""

INFLATED_FACTOR = 1.5
"""By how much longer the same calls take side by side where they get into each other's way."""

BYTES_PER_SECOND_FACTOR = 2e7
"""More bytes than so many for each second of work make the sending count."""


def advice(comparison: Comparison) -> str:
    """The sentence. Times count with the start of the executor."""
    sound = [entry for entry in comparison.entries if not entry.failure]
    if not comparison.agree:
        return "Find out first why the results differ, or are not there: which is quicker comes after that."
    first = sound[0]
    best = min(sound, key=lambda entry: entry.total_seconds)
    if len(sound) == 1:
        return f"Name another executor to compare {first.name} with: --on {first.name},NAME."
    if first.total_seconds >= WORTH_FACTOR * best.total_seconds:
        return f"Take {best.name}: {_gain(first, best)}."
    rival = min((entry for entry in sound if entry is not first), key=lambda entry: entry.total_seconds)
    processes = any(entry.middle("moved_bytes") for entry in sound)
    return f"Stay with {first.name}: {_hindrance(first, rival, processes)}."


def _gain(first: Entry, best: Entry) -> str:
    more = best.middle("slots") > first.middle("slots")
    why = f"it runs {best.middle('slots'):.0f} calls at once" if more else "each call costs less there"
    times = first.total_seconds / best.total_seconds
    took, before = duration(best.total_seconds), duration(first.total_seconds)
    return f"it takes {took} where {first.name} takes {before}, {times:.1f} times as quick, as {why}"


def _hindrance(first: Entry, rival: Entry, processes: bool) -> str:
    """Why the best of the others is not worth it. processes: whether one of them runs calls in other processes."""
    calls = first.middle("calls")
    work, there = first.middle("work_seconds"), rival.middle("work_seconds")
    start, seconds = rival.middle("start_seconds"), rival.middle("seconds")
    if first.middle("seconds") >= WORTH_FACTOR * seconds and start > first.total_seconds - seconds:
        return (
            f"{rival.name} saves {duration(first.middle('seconds') - seconds)} of calls and takes {duration(start)} to "
            "start, which only a longer run, or a cluster that is there already, makes up for"
        )
    if there >= INFLATED_FACTOR * work and there > 1e-3 * calls:
        apart = "" if processes else "; processes would have a lock each"
        return (
            f"on {rival.name} the same calls take {there / work:.1f} times as long, as they hold the interpreter's "
            f"lock or share the cores{apart}"
        )
    moved = rival.middle("moved_bytes")
    if moved > BYTES_PER_SECOND_FACTOR * max(work, 1e-3):
        return (
            f"{rival.name} has to be sent {size(moved)} for {duration(work)} of work; let tasks read their data "
            "themselves"
        )
    call, overhead = work / max(calls, 1), rival.middle("overhead_seconds")
    if call < overhead:
        return (
            f"a call takes {short_duration(call)}, and on {rival.name} it costs {short_duration(overhead)} beside "
            "that; more work in each call would change it"
        )
    if rival.middle("slots") <= first.middle("slots"):
        return f"{rival.name} runs no more calls at once than {first.name} here"
    return (
        f"{rival.name} is no more than {WORTH_FACTOR - 1:.0%} quicker: too few of the calls can run at once"
    )
