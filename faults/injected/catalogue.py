"""All faults by their names, and which of them a run has."""

from __future__ import annotations

import os
import random
import shutil

from faults.injected.calls import CALLS
from faults.injected.fault import Fault
from faults.injected.signals import SIGNALS
from faults.injected.surroundings import SURROUNDINGS, CutNetwork
from faults.injected.workers import WORKERS
from faults.kinds import KINDS

GROUPS: tuple[tuple[type[Fault], ...], ...] = (SIGNALS, WORKERS, CALLS, SURROUNDINGS)

FAULTS: dict[str, type[Fault]] = {
    each.name: each for each in (Fault, *(one for group in GROUPS for one in group))
}

PAIR_SHARE = 0.3
"""Of the runs that have two faults."""


def possible(kind: str) -> list[type[Fault]]:
    """Those that make sense on a kind of executor, and can be made here; in an order that is always the same."""
    root = os.geteuid() == 0
    found = [each for each in FAULTS.values() if kind in each.kinds and (root or not each.root)]
    if not shutil.which("nsenter") or not shutil.which("ip"):
        found = [each for each in found if each is not CutNetwork]
    random.Random(kind).shuffle(found)  # so that a few runs are of many sorts
    return found


def drawn(kind: str, turn: int, chance: random.Random, name: str | None = None) -> list[Fault]:
    """One or two. turn: of the runs of that kind, which take the faults one after the other; name: the one to have."""
    choice = possible(kind)
    first = FAULTS[name] if name else choice[turn % len(choice)]
    chosen = [first]
    if first.pair and first is not Fault and name is None and chance.random() < PAIR_SHARE:
        group = next(each for each in GROUPS if first in each)
        others = [each for each in choice if each.pair and each not in group and each is not Fault]
        chosen.append(chance.choice(others))
    start = KINDS[kind].start_seconds
    return [each(chance, kind, start) for each in chosen]
