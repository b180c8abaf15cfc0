"""How quickly a run could have been over: its work shared out evenly, or its longest chain, whichever is longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from turgo.flows.graph import Graph
from turgo.records.flow_run import FlowRun

Durations = Mapping[int, Mapping[int, float]]
"""Seconds, by node and element."""


def ideal_seconds(graph: Graph, run: FlowRun, slots: int) -> float:
    """Seconds that the calls of a run need at least on so many slots, as long as each of them took there."""
    durations: dict[int, dict[int, float]] = defaultdict(dict)
    for task_run in run.task_runs:
        assert task_run.key is not None  # it is of a run
        node, index = task_run.key
        durations[node][index or 0] = sum(attempt.duration for attempt in task_run.attempts)
    work = sum(sum(each.values()) for each in durations.values())
    return max(work / max(slots, 1), _longest_chain(graph, durations))


def _longest_chain(graph: Graph, durations: Durations) -> float:
    """Seconds from the first call to the last with as many slots as there are calls."""
    whole: dict[int, float] = {}
    elements: dict[int, dict[int, float]] = {}
    for node in graph.nodes:
        begins = max((whole[above] for above in node.depends), default=0.0)
        own = elements[node.id] = {}
        for index, seconds in durations.get(node.id, {}).items():
            followed = (elements[above].get(index, 0.0) for above in node.follows)
            own[index] = max(begins, *followed, 0.0) + seconds
        whole[node.id] = max(own.values(), default=begins)
    return max(whole.values(), default=0.0)
