"""Running a graph: opens the executor, lets the loop turn, and says how the run ended."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

from penstock.caching.opening import store_for
from penstock.config import Config
from penstock.engine.ending import end_run
from penstock.engine.explaining import Explaining
from penstock.engine.limits import Limits, limits_in_force
from penstock.engine.loop import Loop
from penstock.engine.placing import place_tasks
from penstock.engine.requirements import check_requirements, check_tags
from penstock.engine.schedule import Schedule
from penstock.engine.site import Site, Sites
from penstock.engine.telling import Observers
from penstock.errors import RunCancelledError, RunError, RunTimeoutError
from penstock.executor import Executor
from penstock.flows.graph import Graph
from penstock.ledger import Ledger
from penstock.records import FlowRun
from penstock.states import RunState
from penstock.task_runs import TaskRuns


def run_graph(
    graph: Graph,
    executor: Executor,
    *,
    executor_name: str | None = None,
    observers: Iterable[object] = (),
    config: Config | None = None,
) -> FlowRun:
    """Run a graph on an executor, which is started and shut down for it unless it is started already.

    config: where limits and the executors that tasks name come from; without it there are no limits but the flow's own.
    Returns the run, whether it succeeded or not. Raises ExecutorStartError (or another PenstockError of `start()`),
    before observers hear of anything; and KeyboardInterrupt, after what ran was cancelled, the executor closed and
    observers told of the end.
    """
    graph.check()
    own = Site(executor, executor_name or type(executor).__name__)
    check_requirements(graph.flow, graph.requires, executor, own.name)
    return _Running(graph, own, Observers(tuple(observers)), config).go()


class _Running:
    """One run of a graph, from its first record to the last word to observers."""

    def __init__(self, graph: Graph, own: Site, told: Observers, config: Config | None) -> None:
        sites, places, self.here = place_tasks(graph, own, config)
        check_tags(graph, lambda task: sites[places[task].site if task in places else 0].executor)
        limits = Limits(limits_in_force(config.limits if config else {}, graph.options.limits))
        store = store_for(graph, config)
        ledger = Ledger([node.task.name for node in graph.nodes], [node.index for node in graph.nodes])
        run_id = f"{graph.flow}-{uuid.uuid4().hex[:12]}"
        run = FlowRun(id=run_id, flow=graph.flow, executor=own.name, task_runs=TaskRuns(ledger))
        schedule = Schedule(
            graph,
            ledger,
            observed=bool(told),
            hard_timeouts=own.hard_timeouts,
            places=places,
            caching=store is not None,
        )
        self.graph, self.own, self.told, self.run, self.schedule = graph, own, told, run, schedule
        self.sites = Sites(sites)
        self.loop = Loop(schedule, self.sites, run, told, store, graph.options, limits)
        self.explaining = run.explainer = Explaining(schedule, self.loop.waiting, limits)
        run.cancel_by(self.loop.stop.cancel)

    def go(self) -> FlowRun:
        """Run it; the executors are closed again before observers hear of the end."""
        began = time.perf_counter()
        try:
            with self.sites:
                if self.here:
                    self.sites.open(self.own)
                self.run.started, self.run.state = time.time(), RunState.RUNNING
                self.told.tell("penstock_flow_started", self.run)
                self.loop.go()
                end_run(self.run, self.graph, self.schedule)
        except BaseException as error:
            if error is not self.loop.stop.why:
                _cut_short(self.run, error)
                raise
            self._stopped(self.loop.stop.why)
        finally:
            self._finish(began)
        return self.run

    def _stopped(self, why: RunError) -> None:
        """The run ended early in good order: somebody cancelled it, its time was up, or a task failed."""
        if self.loop.stop.failed_fast:
            end_run(self.run, self.graph, self.schedule)
        else:
            state = RunState.FAILED if isinstance(why, RunTimeoutError) else RunState.CANCELLED
            self.run.end(state, error=why)

    def _finish(self, began: float) -> None:
        run, events = self.run, self.schedule.events
        run.cancel_by(None)
        if run.started is not None:
            run.duration = time.perf_counter() - began
            if events:
                self.told.pass_on(run, events, now=True)
            self.told.tell("penstock_flow_finished", run)
        self.explaining.settle(run.error)
        self.schedule.let_go()


def _cut_short(run: FlowRun, error: BaseException) -> None:
    """The run ended by something that is no task's failure: Ctrl-C, or an executor that broke down."""
    if isinstance(error, KeyboardInterrupt):
        run.end(RunState.CANCELLED, error=RunCancelledError(f"the run of {run.flow} was interrupted"))
    else:
        broken = RunError(f"the run of {run.flow} broke off: {type(error).__name__}: {error}")
        broken.__cause__ = error
        run.end(RunState.FAILED, error=broken)
