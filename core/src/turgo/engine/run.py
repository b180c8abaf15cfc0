"""Runs a graph: opens the executor, runs the loop, reports the end."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from turgo.config.load import Config
from turgo.contract.clock import clock_of
from turgo.engine.batching.tag_limits import Limits, limits_in_force
from turgo.engine.loop import Loop
from turgo.engine.outcome.drawn import drawn
from turgo.engine.outcome.explain import Explanation
from turgo.engine.outcome.result import end_run
from turgo.engine.outcome.written import report
from turgo.engine.prepare import check_requirements, check_tags, place_tasks
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.site import Site, Sites
from turgo.errors import RunCancelledError, RunError, RunTimeoutError
from turgo.executor import Executor
from turgo.flows.graph import Graph
from turgo.observers.dispatch import Observers
from turgo.observers.start_watch import StartWatch
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Ledger
from turgo.records.states import RunState
from turgo.records.task_run import Values
from turgo.records.task_runs import TaskRuns

if TYPE_CHECKING:
    from turgo.engine.kept.journal import RunJournal
    from turgo.journal.session import Session
    from turgo.stores.store import Store


def prepare_run(
    graph: Graph,
    executor: Executor,
    *,
    executor_name: str | None = None,
    observers: Iterable[object] = (),
    config: Config | None = None,
    keep_values: bool = False,
    session: Session | None = None,
) -> GraphRun:
    """A run of a graph on an executor, to be started by its `go`. Nothing is open yet and no observer is notified.

    config: where limits and the executors that tasks name come from; without it there are no limits but the flow's own.
    keep_values: whether the run gives the values of all task runs, after it too. session: with its journal, if any.
    Raises a UsageError for what cannot be run.
    """
    graph.check()
    own = Site(executor, executor_name or type(executor).__name__)
    if graph.requires:
        check_requirements(graph.flow, graph.requires, executor, own.name, config)
    return GraphRun(graph, own, tuple(observers), config, keep_values=keep_values, session=session)


class _KeptValues:
    """What `Values` needs, for when somebody asks. A run is pickled without it."""

    def __init__(self, schedule: Schedule, graph: Graph, sites: Sites) -> None:
        progress = schedule.progress
        held = (progress.ledger, progress.values, progress.mapped, progress.let_go)
        self._parts = (*held, graph.returns, sites.fetch)

    def __call__(self) -> Values:
        from turgo.engine.outcome.values import Values  # late: few look at more than the result

        return Values(*self._parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(None), ())


class GraphRun:
    """One run of a graph, from its first record to the last word to observers.

    run: the record. events: what was not yet passed on to observers, if there are any.
    """

    def __init__(
        self,
        graph: Graph,
        own: Site,
        watching: tuple[object, ...],
        config: Config | None,
        *,
        keep_values: bool,
        session: Session | None,
    ) -> None:
        self.graph = graph
        self.own = own
        self.config = config
        self.session = session
        self.clock = clock_of(own.executor)
        self.observers = Observers(watching, self.clock.monotonic) if watching else None
        sites, places, self.here = place_tasks(graph, own, config)
        check_tags(graph, lambda task: sites[places[task].site if task in places else 0].executor)
        self.sites = Sites(sites)
        limits = _limits(graph, config)
        store = _store(config) if graph.uses_cache else None
        ledger = Ledger([node.task.name for node in graph.nodes], [node.index for node in graph.nodes])
        self.run = _record(graph, own, ledger, session)
        if self.observers is not None:
            self.sites.watch_start = partial(StartWatch, self.observers, self.run)
        self.schedule = Schedule(
            graph,
            ledger,
            observed=self.observers is not None,
            hard_timeouts=own.hard_timeouts,
            places=places,
            caching=store is not None,
            keeping=keep_values,
            resuming=session is not None and session.earlier is not None,
        )
        events = self.schedule.progress.events
        self.events = [] if events is None else events  # the list itself: the loop appends to it
        if keep_values:
            self.run.open_values = ledger.open_values = _KeptValues(self.schedule, graph, self.sites)
        journal = None if session is None else _journal(session, self.schedule, self.run, self.sites)
        self.loop = Loop(
            self.schedule,
            self.sites,
            self.run,
            self.observers,
            store,
            graph.options,
            limits,
            self.clock,
            journal,
        )
        self.explanation = Explanation(
            self.schedule.progress, self.loop.retries, limits, hindrances=self.sites.hindrances
        )
        self._connect_record()

    def _connect_record(self) -> None:
        """Let the record of the run be asked why calls wait, be drawn and reported, and cancel the run."""
        run = self.run
        run.explainer = self.explanation
        run.drawer = partial(drawn, explanation=self.explanation)
        run.reporter = partial(report, explanation=self.explanation)
        run.cancel_by(self.loop.stop.cancel)

    def go(self) -> FlowRun:
        """Run it, once. Executors that are not started are; they are closed before observers are notified of the end.

        Returns the run, whether it succeeded or not. Raises ExecutorStartError (or another TurgoError of `start()`),
        before observers are notified of anything; and KeyboardInterrupt, after what ran was cancelled, the executor
        closed and observers notified of the end.
        """
        with self.loop.stop.hearing():
            return self._go()

    def _go(self) -> FlowRun:
        began = self.clock.monotonic()
        try:
            with self.sites:
                if self.here:
                    self.sites.open(self.own)
                    if self.graph.requires:
                        self._check_requirements()
                self.run.start_seconds = self.clock.monotonic() - began
                self.run.started = self.clock.wall()
                self.run.state = RunState.RUNNING
                if self.observers is not None:
                    self.observers.notify("turgo_flow_started", self.run)
                self.loop.go()
                self._pass_on_events()  # while the values that stayed on workers can still be fetched
                end_run(self.run, self.graph, self.schedule.progress)
        except BaseException as error:
            if error is not self.loop.stop.why:
                _cut_short(self.run, error)
                raise
            self._stopped(self.loop.stop.why)
        finally:
            try:
                self._finish(began)
            finally:
                if self.session is not None:
                    self.session.end()  # if an observer of the end was interrupted
        return self.run

    @property
    def bytes_moved(self) -> int:
        """Bytes of batches that left this process, and of values that came to it."""
        calls, stores = self.loop.calls, [site.values for site in self.sites.members]
        apart = sum(store.moved_bytes for store in stores if store is not None)
        return calls.sent_bytes + calls.received_bytes + apart

    def _check_requirements(self) -> None:
        """Check them again inside `start()`, as only then an executor may see what its workers offer."""
        own = self.own
        check_requirements(self.graph.flow, self.graph.requires, own.executor, own.name, self.config)

    def _stopped(self, why: RunError) -> None:
        """The run ended early in good order: somebody cancelled it, its time was up, or a task failed."""
        if self.loop.stop.failed_fast:
            end_run(self.run, self.graph, self.schedule.progress)
        else:
            state = RunState.FAILED if isinstance(why, RunTimeoutError) else RunState.CANCELLED
            self.run.end(state, error=why)

    def _finish(self, began: float) -> None:
        run = self.run
        run.cancel_by(None)
        self.loop.log_book.close()
        if run.started is not None:
            run.duration = self.clock.monotonic() - began
            self._pass_on_events()
            if self.observers is not None:
                self.observers.notify("turgo_flow_finished", run)
        if self.session is not None:
            self.session.end(run)
        self.explanation.settle(run.error)
        run.slots = sum(site.slots for site in self.sites.members if site.opened) or None
        self.schedule.progress.drop_values()

    def _pass_on_events(self) -> None:
        if self.observers is not None:
            self.observers.pass_on(self.run, self.events, now=True)


def _record(graph: Graph, own: Site, ledger: Ledger, session: Session | None) -> FlowRun:
    """The record of a run that begins; with the id of its journal, if it has one."""
    run_id = f"{graph.flow}-{os.urandom(6).hex()}" if session is None else session.run_id
    run = FlowRun(id=run_id, flow=graph.flow, executor=own.name, task_runs=TaskRuns(ledger))
    run.journal = None if session is None else session.id
    return run


def _store(config: Config | None) -> Store | None:
    from turgo.caching.configured import store_for  # late: few runs have a cache

    return store_for(config)


def _limits(graph: Graph, config: Config | None) -> Limits | None:
    """The limits of the configuration and of the flow; None if there are none."""
    configured = config.limits if config else {}
    if not configured and not graph.options.limits:
        return None
    return Limits(limits_in_force(configured, graph.options.limits))


def _journal(session: Session, schedule: Schedule, run: FlowRun, sites: Sites) -> RunJournal:
    """What notes the calls of the run; their values come home then, as they were when they were made."""
    from turgo.engine.kept.journal import RunJournal  # late: most runs in code have none
    from turgo.engine.outcome.columns import Columns
    from turgo.identity.code import Code

    schedule.progress.outward = schedule.progress.apart = True
    journal = RunJournal(schedule, Code(), session.writer, session.earlier, unsafe=session.unsafe)
    writer = session.writer
    if writer.shelf is not None and any(site.values is not None for site in sites.members):
        from turgo.engine.kept.copies import Copies  # late: few journals lie where workers write too

        sites.keep_copies()
        journal.copies = Copies(writer, writer.shelf, sites.copy, sites.answer)
    columns = Columns(schedule.progress, journal.unkept)

    def now(*, over: bool) -> dict[str, bytes]:
        if over:
            journal.close()
        return columns(over=over)

    session.watch(run, now)
    return journal


def _cut_short(run: FlowRun, error: BaseException) -> None:
    """The run ended by something that is no task's failure: Ctrl-C, or an executor that broke down."""
    if isinstance(error, KeyboardInterrupt):
        run.end(RunState.CANCELLED, error=RunCancelledError(f"the run of {run.flow} was interrupted"))
    else:
        broken = RunError(f"the run of {run.flow} broke off: {type(error).__name__}: {error}")
        broken.__cause__ = error
        run.end(RunState.FAILED, error=broken)
