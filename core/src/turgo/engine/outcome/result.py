"""Says how a run ended. Gives its state, its result, and the error that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from turgo.engine.outcome.causes import Causes
from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.remote import fetch_values
from turgo.errors import TaskFailedError
from turgo.flows.graph import Graph, Node
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Key
from turgo.records.states import FAILED, RunState
from turgo.worker.arguments import fill
from turgo.worker.values.pickles import message_of


def end_run(run: FlowRun, graph: Graph, progress: Progress) -> None:
    """Give the run its state, and its result or the error that says why there is none."""
    if graph.options.fail_fast and progress.first_failed is not None:
        run.end(RunState.FAILED, error=_why(progress, progress.first_failed))
        return
    if FAILED.isdisjoint(progress.ledger.states):
        run.end(RunState.SUCCESS, result=_result(graph, progress))
        return
    causes = Causes(progress.ledger, progress.nodes.__getitem__)
    failed = [key for node in _decisive(graph, progress) if (key := causes.first(node.id))]
    needed = next((key for node in sorted(progress.returned) if (key := causes.first(node))), None)
    state = RunState.FAILED if failed else RunState.SUCCESS
    reason = failed[0] if failed and needed not in failed else needed
    error = None if reason is None else _why(progress, reason)
    if needed is not None:
        run.end(state, error=error)
    else:
        run.end(state, error=error, result=_result(graph, progress))


def _decisive(graph: Graph, progress: Progress) -> Iterator[Node]:
    """The nodes that decide: those that the flow names for that, else those that it returned and the leaves."""
    named = graph.options.reference
    for node in graph.nodes:
        if node.task.name in named if named else node.id in progress.returned or progress.is_leaf(node.id):
            yield node


def _result(graph: Graph, progress: Progress) -> Any:
    if remote := progress.returned & progress.remote:
        fetch_values(progress.values, remote, progress.fetch)
    return fill(graph.returns, progress.values.__getitem__)


def _why(progress: Progress, key: Key) -> TaskFailedError:
    task_run = progress.ledger.task_run(key)
    source = Causes(progress.ledger, progress.nodes.__getitem__).of_failure(key)[-1]
    cause = progress.ledger.task_run(source)
    message = f"{cause.title} is {cause.state}"
    if cause.error is not None:
        message += f": {type(cause.error).__name__}: {message_of(cause.error)}"
    if source != key:
        message = f"{task_run.label} is {task_run.state}, since {message}"
    error = TaskFailedError(message, task=task_run.name, index=task_run.index, state=str(task_run.state))
    error.__cause__ = cause.error
    return error
