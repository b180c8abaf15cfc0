"""Draws a run: its graph, with the states of its task runs. Of the run that is at hand, or of one with a journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from turgo.engine.outcome.explain import Explanation
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Ledger
from turgo.records.states import CODE, STATES, TaskState

if TYPE_CHECKING:
    from turgo.outlines.outline import Outline


def drawn(run: FlowRun, explanation: Explanation) -> Outline:
    """What a run looks like now."""
    return outline_of_run(f"{run.flow}, {run.state} on {run.executor} (run {run.id})", explanation)


def outline_of_run(title: str, explanation: Explanation) -> Outline:
    """The outline of a run by what explains it: the run itself, or what its journal has."""
    from turgo.outlines.boxes import Nodes, outline_of  # late: most runs are not drawn

    ledger = explanation.ledger
    widths = {node: columns.width for node, columns in list(ledger.mapped.items())}

    def states(node: int) -> Mapping[str, int]:
        return _states(ledger, node)

    nodes = Nodes(ledger.names, ledger.indices, explanation.structure, explanation.guards, widths, states)
    return outline_of(title, nodes)


def _states(ledger: Ledger, node: int) -> Mapping[str, int]:
    """How many task runs of a node are in each state, in the order of states."""
    columns = ledger.mapped.get(node)
    if columns is None:
        return {STATES[ledger.states[node]]: 1}
    counts = Counter(columns.states)
    return {state: counts[CODE[state]] for state in TaskState if counts[CODE[state]]}
