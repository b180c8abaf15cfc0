"""Says what a resumed run would take over and what it would run, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from turgo.engine.kept.cache import Cache
from turgo.engine.kept.journal import RunJournal
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.transport.functions import Calls
from turgo.flows.graph import Graph
from turgo.identity.calls import CallIdentity
from turgo.identity.code import Code
from turgo.journal.archive import Archive
from turgo.journal.changes import changes_in_words
from turgo.records.ledger import Ledger
from turgo.records.states import CACHED


class Preview(NamedTuple):
    """What would become of a run. taken, left: calls by task; changes: of code since, in words.

    A map whose width depends on a value counts once among those that are left.
    """

    taken: Mapping[str, int]
    left: Mapping[str, int]
    changes: list[str]


def preview(graph: Graph, earlier: Archive) -> Preview:
    """What would be taken over from an earlier run, and what would run."""
    ledger = Ledger([node.task.name for node in graph.nodes], [node.index for node in graph.nodes])
    schedule = Schedule(graph, ledger, resuming=True)
    calls = Calls(("", graph.flow), graph.nodes)
    Cache(schedule, None, calls, RunJournal(schedule, Code(), None, earlier)).answer_all()
    widths = graph.known_widths()
    taken: dict[str, int] = {}
    left: dict[str, int] = {}
    for node, name in enumerate(ledger.names):
        codes = bytes(schedule.progress.states_of(node))
        kept = codes.count(CACHED)
        taken[name] = taken.get(name, 0) + kept
        count = len(codes) if node in schedule.progress.mapped else widths.get(node, len(codes))
        left[name] = left.get(name, 0) + count - kept
    return Preview(taken, left, changes_since(graph, earlier))


def changes_since(graph: Graph, earlier: Archive) -> list[str]:
    """Which code changed since an earlier run, and how many of its calls run again for that, in words."""
    code, now = Code(), dict[str, Mapping[str, str]]()
    for task in dict.fromkeys(node.task for node in graph.nodes):
        try:
            now[task.name] = CallIdentity(task, code).parts()
        except Exception:  # nosec B112 # noqa: BLE001, S112  (its code has no digest: it runs again in any case)
            continue
    return list(changes_in_words(earlier.parts, now, earlier.counts))
