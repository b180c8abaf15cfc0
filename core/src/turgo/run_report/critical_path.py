"""The critical path: of all chains of calls that wait for each other, the one that takes longest.

No executor, however large, is done before it is. What a call takes is the sum of its attempts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from turgo.outlines.structure import Structure
from turgo.records.ledger import Key, Ledger
from turgo.run_report.calls import Call, calls_of, keys_of, upstream_of


class Step(NamedTuple):
    """A task run on the path, and the seconds that it took."""

    key: Key
    seconds: float


def critical_path(ledger: Ledger, structure: Structure, calls: Iterable[Call]) -> list[Step]:
    """Its steps, the first one first; without those that took no time."""
    seconds: dict[Key, float] = {}
    for call in calls:
        seconds[call.key] = seconds.get(call.key, 0.0) + call.seconds
    until = longest(ledger, structure, seconds)
    last = max(until, key=lambda key: until[key], default=None)
    steps = []
    while last is not None:
        key = _element(last, until, ledger)
        steps.append(Step(key, seconds.get(key, 0.0)))
        before = list(upstream_of(ledger, structure, key))
        last = max(before, key=lambda each: until.get(each, 0.0), default=None)
    return [step for step in reversed(steps) if step.seconds > 0]


def longest(ledger: Ledger, structure: Structure, seconds: Mapping[Key, float]) -> dict[Key, float]:
    """For each task run, and each node as a whole, how long the longest chain is that ends with it."""
    until: dict[Key, float] = {}
    for key in keys_of(ledger):
        before = max((until.get(each, 0.0) for each in upstream_of(ledger, structure, key)), default=0.0)
        until[key] = before + seconds.get(key, 0.0)
        if key[1] is not None:
            whole = key[0], None
            until[whole] = max(until.get(whole, 0.0), until[key])
    return until


def _element(key: Key, until: Mapping[Key, float], ledger: Ledger) -> Key:
    """Of a mapped node as a whole, the element whose chain is the longest."""
    node, index = key
    columns = ledger.mapped.get(node)
    if index is not None or columns is None or not columns.width:
        return key
    return max(((node, each) for each in range(columns.width)), key=lambda each: until[each])


def least_seconds(ledger: Ledger, structure: Structure, slots: int) -> float:
    """Seconds in which the calls of a run could be over on so many slots, as long as each of them took there.

    It is their work shared out evenly, or the critical path, whichever is longer.
    """
    calls = calls_of(ledger)
    work = sum(call.seconds for call in calls)
    return max(work / max(slots, 1), total(critical_path(ledger, structure, calls)))


def total(steps: Sequence[Step]) -> float:
    """What the path takes, in seconds."""
    return sum(step.seconds for step in steps)
