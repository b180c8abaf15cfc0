"""Running a graph: opens the executor, lets the loop turn, and says how the run ended."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from penstock.engine.ending import end_run
from penstock.engine.loop import Loop
from penstock.engine.requirements import check_requirements
from penstock.engine.schedule import Schedule
from penstock.engine.telling import Observers
from penstock.errors import RunCancelledError, RunError
from penstock.executor import Executor
from penstock.flows.graph import Graph
from penstock.ledger import Ledger, TaskRuns
from penstock.records import FlowRun
from penstock.states import RunState


def run_graph(
    graph: Graph, executor: Executor, *, executor_name: str | None = None, observers: Iterable[object] = ()
) -> FlowRun:
    """Run a graph on an executor, which is started and shut down for it unless it is started already.

    Returns the run, whether it succeeded or not. Raises what the executor's `start()` raises, before observers hear of
    anything; and KeyboardInterrupt, after what ran was cancelled, the executor closed and observers told of the end.
    """
    graph.check()
    name = executor_name or type(executor).__name__
    check_requirements(graph.flow, graph.requires, executor, name)
    told = Observers(tuple(observers))
    ledger = Ledger([node.task.name for node in graph.nodes], [node.index for node in graph.nodes])
    run = FlowRun(
        id=f"{graph.flow}-{uuid.uuid4().hex[:12]}",
        flow=graph.flow,
        executor=name,
        task_runs=TaskRuns(ledger),
    )
    hard = "hard_timeouts" in executor.capabilities
    schedule = Schedule(graph, ledger, observed=bool(told), hard_timeouts=hard)
    opened: AbstractContextManager[Any] = nullcontext() if executor.started else executor.start()
    began = time.perf_counter()
    try:
        with opened:
            run.started, run.state = time.time(), RunState.RUNNING
            told.tell("penstock_flow_started", run)
            Loop(schedule, executor, run, told).go()
            end_run(run, graph, schedule)
    except BaseException as error:
        _cut_short(run, error)
        raise
    finally:
        if run.started is not None:
            run.duration = time.perf_counter() - began
            if schedule.events:
                told.pass_on(run, schedule.events, now=True)
            told.tell("penstock_flow_finished", run)
    return run


def _cut_short(run: FlowRun, error: BaseException) -> None:
    """The run ended by something that is no task's failure: Ctrl-C, or an executor that broke down."""
    if isinstance(error, KeyboardInterrupt):
        run.end(RunState.CANCELLED, error=RunCancelledError(f"the run of {run.flow} was interrupted"))
    else:
        broken = RunError(f"the run of {run.flow} broke off: {type(error).__name__}: {error}")
        broken.__cause__ = error
        run.end(RunState.FAILED, error=broken)
