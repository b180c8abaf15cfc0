"""Runs that are written into a ledger by hand, as the engine writes them."""

import traceback
from array import array

from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Failure, Ledger, MappedColumns, Span, Stamp
from turgo.records.states import CODE, RunState, TaskState
from turgo.records.task_runs import TaskRuns

HERE = Stamp("thread-1", 1000.0, 0.0)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run_of(**widths: int | None) -> tuple[FlowRun, Ledger]:
    """A run of a flow `census`: tasks with the widths of their maps, None for a single call."""
    ledger = Ledger(list(widths), [None] * len(widths))
    for node, width in enumerate(widths.values()):
        if width is not None:
            ledger.mapped[node] = MappedColumns(width)
    run = FlowRun(id="abc", flow="census", executor="local", task_runs=TaskRuns(ledger))
    run.state, run.started = RunState.RUNNING, 1000.0
    return run, ledger


def finish(ledger: Ledger, node: int, state: TaskState, seconds: float, index: int | None = None) -> None:
    """Write that a task run is over."""
    if index is None:
        ledger.states[node] = CODE[state]
        ledger.times[node] = (HERE, 0.0, seconds)
    else:
        ledger.mapped[node].states[index] = CODE[state]
        ledger.mapped[node].spans.append(Span(index, index + 1, HERE, 0.0, array("d", [seconds])))


def fail(ledger: Ledger, node: int, index: int | None, error: BaseException) -> None:
    """Write that a task run failed, with the traceback that the worker would send."""
    finish(ledger, node, TaskState.FAILED, 0.5, index)
    try:
        raise error
    except type(error):
        ledger.failures[node, index] = Failure(TaskState.FAILED, error, traceback.format_exc())
