"""Says what a run would take over from an earlier one and what it would run, without running anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from turgo.engine.kept.cache import Cache
from turgo.engine.kept.journal import RunJournal
from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.transport.functions import Calls
from turgo.flows.graph import Graph
from turgo.flows.operators import merging
from turgo.flows.task import picking
from turgo.identity.calls import CallIdentity
from turgo.identity.code import Code
from turgo.journal.archive import Archive
from turgo.journal.changes import changes_in_words
from turgo.outlines.colours import NOT_TO_RUN, TAKEN_OVER, TO_RUN
from turgo.outlines.outline import Outline
from turgo.records.ledger import Ledger
from turgo.records.states import CACHED, OVER


class Preview(NamedTuple):
    """What would become of a run. changes: of code since, in words; outline: each node.

    taken, left, refused: calls by task. Those that are refused began before and may not be made twice, or wait for such
    a call. A map whose width depends on a value counts once among those that are left.
    """

    taken: Mapping[str, int]
    left: Mapping[str, int]
    refused: Mapping[str, int]
    changes: list[str]
    outline: Outline


def preview(graph: Graph, earlier: Archive | None) -> Preview:
    """What would be taken over from an earlier run, if there is one, and what would run."""
    widths, progress = graph.known_widths(), None
    if earlier is not None:
        progress = _taken_over(graph, earlier)
        widths |= {node: mapped.width for node, mapped in progress.mapped.items()}
    plans: dict[int, dict[str, int]] = {}
    totals: dict[str, Counter[str]] = {word: Counter() for word in (TAKEN_OVER, TO_RUN, NOT_TO_RUN)}
    for node in graph.nodes:
        if node.task not in (merging, picking):  # no call is made for these
            plan = _plan(progress, node.id, widths.get(node.id, 1))
            plans[node.id] = {word: count for word, count in plan.items() if count}
            for word, count in plan.items():
                totals[word][node.task.name] += count
    changes = [] if earlier is None else changes_since(graph, earlier)
    outline = graph.drawn(widths, lambda node: plans.get(node, {}))
    return Preview(totals[TAKEN_OVER], totals[TO_RUN], totals[NOT_TO_RUN], changes, outline)


def _plan(progress: Progress | None, node: int, width: int) -> dict[str, int]:
    """How many calls of a node would be taken over, run, and not run."""
    codes = b"" if progress is None else bytes(progress.states_of(node))
    taken = codes.count(CACHED)
    refused = sum(code in OVER for code in codes) - taken
    if refused and progress is not None and node not in progress.mapped:
        refused = width  # of a map whose elements are not begun
    return {TAKEN_OVER: taken, TO_RUN: width - taken - refused, NOT_TO_RUN: refused}


def _taken_over(graph: Graph, earlier: Archive) -> Progress:
    """How far a run comes with what an earlier one finished, and nothing else."""
    ledger = Ledger([node.task.name for node in graph.nodes], [node.index for node in graph.nodes])
    schedule = Schedule(graph, ledger, resuming=True)
    calls = Calls(("", graph.flow), graph.nodes)
    Cache(schedule, None, calls, RunJournal(schedule, Code(), None, earlier)).answer_all()
    return schedule.progress


def changes_since(graph: Graph, earlier: Archive) -> list[str]:
    """Which code changed since an earlier run, and how many of its calls run again for that, in words."""
    code, now = Code(), dict[str, Mapping[str, str]]()
    for task in dict.fromkeys(node.task for node in graph.nodes):
        try:
            now[task.name] = CallIdentity(task, code).parts()
        except Exception:  # nosec B112 # noqa: BLE001, S112  (its code has no digest: it runs again in any case)
            continue
    return list(changes_in_words(earlier.parts, now, earlier.counts))
