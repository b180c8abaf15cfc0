"""How a run ends: its state, its result, and the error that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.engine.portable import message_of
from penstock.engine.schedule import Schedule
from penstock.errors import TaskFailedError
from penstock.flows.graph import Graph, Node
from penstock.flows.templates import fill
from penstock.ledger import Key
from penstock.records import FlowRun
from penstock.states import STATES, RunState


def end_run(run: FlowRun, graph: Graph, schedule: Schedule) -> None:
    """Give the run its state and its result. The nodes that were returned, and those that nothing follows, decide."""
    failed = [node for node in schedule.decisive() if _first_failed(schedule, node) is not None]
    if not failed:
        run.end(RunState.SUCCESS, result=_result(graph, schedule))
        return
    needed = [node for node in failed if node.id in schedule.returned]
    error = _why(schedule, (needed or failed)[0])
    if needed:
        run.end(RunState.FAILED, error=error)
    else:
        run.end(RunState.FAILED, error=error, result=_result(graph, schedule))


def _result(graph: Graph, schedule: Schedule) -> Any:
    return fill(graph.returns, lambda node: schedule.values[node])


def _first_failed(schedule: Schedule, node: Node) -> Key | None:
    mapped = schedule.mapped.get(node.id)
    if mapped is None:
        return (node.id, None) if STATES[schedule.states[node.id]].failed else None
    if not mapped.unwell:
        return None
    return next(((node.id, at) for at, code in enumerate(mapped.states) if STATES[code].failed), None)


def _why(schedule: Schedule, node: Node) -> TaskFailedError:
    key = _first_failed(schedule, node)
    assert key is not None
    task_run = schedule.ledger.task_run(key)
    source = _source(schedule, key)
    told = schedule.ledger.task_run(source)
    message = f"{told.label} is {told.state}"
    if told.error is not None:
        message += f": {type(told.error).__name__}: {message_of(told.error)}"
    if source != key:
        message = f"{task_run.label} is {task_run.state}, since {message}"
    error = TaskFailedError(message, task=task_run.name, index=task_run.index, state=str(task_run.state))
    error.__cause__ = told.error
    return error


def _source(schedule: Schedule, key: Key) -> Key:
    """Up the graph from a task run that failed, to the one that failed by itself and is the reason."""
    seen = {key}
    ahead = [key]
    while ahead:
        key = ahead.pop()
        if key in schedule.ledger.failures:
            return key
        for upstream in _failed_upstream(schedule, key):
            if upstream not in seen:
                seen.add(upstream)
                ahead.append(upstream)
    return key


def _failed_upstream(schedule: Schedule, key: Key) -> Iterator[Key]:
    """Of each failed upstream of a task run, the element that it follows, or the first that failed."""
    node, index = schedule.nodes[key[0]], key[1]
    for upstream in node.upstream:
        first = _first_failed(schedule, schedule.nodes[upstream])
        if first is None:
            continue
        same = (upstream, index)
        followed = index is not None and upstream in node.follows and upstream in schedule.mapped
        if not followed:
            yield first
        elif STATES[schedule.mapped[upstream].states[index or 0]].failed:
            yield same
