"""How a run ends: its state, its result, and the error that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.engine.portable import message_of
from penstock.engine.reasons import Reasons
from penstock.engine.remote import bring_home
from penstock.engine.schedule import Schedule
from penstock.errors import TaskFailedError
from penstock.flows.graph import Graph, Node
from penstock.flows.templates import fill
from penstock.ledger import Key
from penstock.records import FlowRun
from penstock.states import RunState


def end_run(run: FlowRun, graph: Graph, schedule: Schedule) -> None:
    """Give the run its state, and its result or the error that says why there is none."""
    if graph.options.fail_fast and schedule.first_failed is not None:
        run.end(RunState.FAILED, error=_why(schedule, schedule.first_failed))
        return
    reasons = Reasons(schedule.ledger, schedule.nodes.__getitem__)
    failed = [key for node in _decisive(graph, schedule) if (key := reasons.first(node.id))]
    needed = next((key for node in sorted(schedule.returned) if (key := reasons.first(node))), None)
    state = RunState.FAILED if failed else RunState.SUCCESS
    reason = failed[0] if failed and needed not in failed else needed
    error = None if reason is None else _why(schedule, reason)
    if needed is not None:
        run.end(state, error=error)
    else:
        run.end(state, error=error, result=_result(graph, schedule))


def _decisive(graph: Graph, schedule: Schedule) -> Iterator[Node]:
    """The nodes that decide: those that the flow names for that, else those that it returned and the leaves."""
    named = graph.options.reference
    for node in graph.nodes:
        if node.task.name in named if named else node.id in schedule.returned or schedule.is_leaf(node.id):
            yield node


def _result(graph: Graph, schedule: Schedule) -> Any:
    bring_home(schedule.values, schedule.returned & schedule.remote, schedule.bring)
    return fill(graph.returns, lambda node: schedule.values[node])


def _why(schedule: Schedule, key: Key) -> TaskFailedError:
    task_run = schedule.ledger.task_run(key)
    source = Reasons(schedule.ledger, schedule.nodes.__getitem__).of_failure(key)[-1]
    told = schedule.ledger.task_run(source)
    message = f"{told.label} is {told.state}"
    if told.error is not None:
        message += f": {type(told.error).__name__}: {message_of(told.error)}"
    if source != key:
        message = f"{task_run.label} is {task_run.state}, since {message}"
    error = TaskFailedError(message, task=task_run.name, index=task_run.index, state=str(task_run.state))
    error.__cause__ = told.error
    return error
