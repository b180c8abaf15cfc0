"""The loop of a run submits batches of ready calls. It receives what comes of them.

    schedule ──ready calls──>  Lanes  ──pieces──> Shipment ──> executor.submit(execute, shipment)
        ^                                                                │ future done (any thread)
        └──────── outcomes <── report <── queue of what is done <────────┘

Everything but the callback of a future, which only puts it into the queue, happens in one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from turgo.contract.clock import SYSTEM_CLOCK, Clock
from turgo.engine.batching.tag_limits import Limits
from turgo.engine.lanes import Lanes
from turgo.engine.log_book import LogBook
from turgo.engine.reports import Reports
from turgo.engine.schedule.pieces import Piece, calls_of
from turgo.engine.schedule.ready import Lane
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.site import Site, Sites
from turgo.engine.stop import Stop
from turgo.engine.submissions import Submission, Submissions
from turgo.engine.transport.functions import Calls
from turgo.engine.transport.report import home_bytes
from turgo.engine.transport.shipment import load
from turgo.errors import ExecutorError, ExecutorStartError, WorkerLostError
from turgo.executor import ExtraContext
from turgo.flows.policy.options import FlowOptions
from turgo.futures import failure_of
from turgo.observers.dispatch import Observers
from turgo.records.flow_run import FlowRun
from turgo.records.ledger import Key
from turgo.stores.store import Store
from turgo.worker.limits.interrupt import Expired

if TYPE_CHECKING:
    from turgo.engine.kept.cache import Cache
    from turgo.engine.kept.journal import RunJournal

LOOP_WAIT_SECONDS = 0.5
"""Maximum seconds to block. A signal that arrives as a wait begins is handled only when that wait ends."""

TIMEOUT_GRACE_SECONDS = 2.0
"""Seconds after its timeout in which a call may end by itself, before an executor with hard timeouts kills it."""


class Loop:
    """One run: what is under way, and what waits for its time.

    retries: calls that are to be tried again, as a heap of `(due, number, key)`.
    """

    def __init__(
        self,
        schedule: Schedule,
        sites: Sites,
        run: FlowRun,
        observers: Observers | None = None,
        store: Store | None = None,
        options: FlowOptions | None = None,
        limits: Limits | None = None,
        clock: Clock = SYSTEM_CLOCK,
        journal: RunJournal | None = None,
    ) -> None:
        self.options = options or FlowOptions()
        self.clock = clock
        self.submissions = Submissions(limits, clock)
        self.schedule = schedule
        self.sites = sites
        self.run = run
        self.observers = observers
        self.eventful = [each.executor for each in sites.members if each.eventful and observers is not None]
        schedule.progress.fetch = sites.fetch
        self.calls = Calls((run.id, run.flow), schedule.progress.nodes)
        self.retries: list[tuple[float, int, Key]] = []
        self.lanes = Lanes(schedule, sites, limits, clock)
        self._retried = 0
        self.cache: Cache | None = None
        if store is not None or journal is not None:
            from turgo.engine.kept.cache import Cache  # late, with all that makes keys: few runs have a cache

            self.cache = Cache(schedule, store, self.calls, journal)
        self.stop = Stop(run.flow, self.options.timeout, self.submissions.halt, clock)
        self.log_book = LogBook(schedule.progress, run.id)
        sites.deliver = self.log_book.deliver
        self.reports = [
            Reports(schedule, site.batching, site.executor, self.cache, self.log_book)
            for site in sites.members
        ]

    def go(self) -> None:
        """Run until every node is over. Raises why it ended before that; what was not over is Cancelled then."""
        schedule, fail_fast = self.schedule, self.options.fail_fast
        try:
            timed = self.options.timeout is not None
            with self.stop.watched(self.submissions.give_up_here) if timed else nullcontext():
                while schedule.progress.unfinished:
                    if fail_fast and schedule.progress.first_failed is not None:
                        self.stop.fail_fast()
                    self._check_stop()
                    self._submit()
                    self._check_stop()  # before the end of a call that was interrupted is taken for its failure
                    self._collect()
                if self.cache is not None:
                    self.cache.settle(self._check_stop)
                self.stop.check_interrupted()
        except BaseException as error:
            self._abandon()
            if isinstance(error, Expired) and self.stop.why is not None:
                raise self.stop.why from None
            raise

    def _check_stop(self) -> None:
        """Raise why the run is to end, if it is."""
        stop = self.stop
        if stop.why is not None or stop.deadline is not None or stop.interrupted:
            stop.check()

    def _submit(self) -> None:
        """Fill the windows of all sites."""
        if self.cache is not None:
            self.cache.answer()
        for site in self.sites.members:
            site.look()
        self.lanes.wait_seconds = None
        while (chosen := self.lanes.next_batch()) is not None:
            self._submit_batch(*chosen)
            if self.submissions.any_done():
                return

    def _submit_batch(self, lane: Lane, pieces: list[Piece], seconds: float, leads: float) -> None:
        if self.stop.why is not None or self.stop.interrupted:
            return  # somebody ended the run just now
        began = self.clock.monotonic()
        node_id, low, high = pieces[0]
        task = self.schedule.progress.nodes[node_id].task
        site = self.sites.members[lane.site]
        shipment = load(pieces, self.schedule.progress, self.calls)
        shipment.fail_fast = self.options.fail_fast
        if site.channel is not None:
            shipment.channel = site.channel
            shipment.name = self.log_book.open(pieces)
            shipment.tells = bool(lane.part)
        shipment.limit = site.batching.late_after(seconds, site.room)
        context: ExtraContext = {
            "task_name": task.name,
            "task_index": low if high - low == 1 else None,
            "task_tags": task.policy.tags,
            "run_id": self.run.id,
        }
        if expected := seconds or site.batching.costs.get(task, 0.0):  # what goes alone has none
            context["task_seconds"] = expected
        if task.policy.timeout is not None:
            context["task_timeout"] = task.policy.timeout + TIMEOUT_GRACE_SECONDS
            shipment.killed_if_late = site.hard_timeouts
        if not task.policy.idempotent:
            context["task_once"] = True
        if self.cache is not None:
            shipment.keeps = self.cache.begin(pieces)
        submission = Submission(
            pieces, shipment, site, lane.tags, lane.isolated, bool(lane.part), seconds, leads
        )
        try:
            self.submissions.submit(submission, context)
        except ExecutorError:
            raise  # the executor broke its contract, or is not open: nothing can be run on it
        except Exception as error:  # noqa: BLE001  (an executor's own code, or a pickler that meets user data)
            self.reports[site.number].batch_failed(pieces, error)
            return
        if site.room > 1 and submission.future is not None and not submission.future.done():
            site.batching.load.driver.submitted(calls_of(pieces), self.clock.monotonic() - began)

    def _collect(self) -> None:
        """Wait for reports, retries that are due, or the next bunch of events, and take in what is there."""
        self._release_retries()
        paced = self.lanes.wait_seconds is not None
        if self.submissions.under_way or paced or (self.retries and not self.schedule.ready):
            done = self.submissions.completed(self._max_wait())
            for site in self.sites.members:
                own = [each for each in done if each[0].site is site]
                if own:
                    self._take_reports(site, own)
        elif not self.schedule.ready and self.schedule.progress.unfinished:
            raise ExecutorError(
                "nothing runs and nothing is ready, but the run is not over: a defect of turgo"
            )
        if self.observers is not None:
            self.observers.pass_on(self.run, self.schedule.progress.events or [])
            self.observers.pass_on_events(self.run, self.eventful)

    def _max_wait(self) -> float:
        """Seconds until something is to be done even if no submission is done."""
        if self.cache is not None and self.cache.busy:
            return 0.0
        until = [LOOP_WAIT_SECONDS]
        if self.lanes.wait_seconds is not None:
            until.append(self.lanes.wait_seconds)
        if self.retries:
            until.append(max(0.0, self.retries[0][0] - self.clock.monotonic()))
        if self.observers is not None and self.schedule.progress.events:
            until.append(self.observers.due_in())
        if self.observers is not None and self.eventful:
            until.append(self.observers.ask_in())
        if self.stop.deadline is not None:
            until.append(max(0.0, self.stop.deadline - self.clock.monotonic()))
        return min(until)

    def _release_retries(self) -> None:
        """Note when new retries are due, and hand those that are due back to the schedule."""
        now = self.clock.monotonic()
        for delay, key in self.schedule.attempts.waiting:
            self._retried += 1  # breaks ties in the order of asking
            heappush(self.retries, (now + delay, self._retried, key))
        self.schedule.attempts.waiting.clear()
        while self.retries and self.retries[0][0] <= now:
            self.schedule.retry(heappop(self.retries)[2])

    def _take_reports(self, site: Site, done: Sequence[tuple[Submission, float]]) -> None:
        fine: list[tuple[Submission, float]] = []
        for submission, when in done:
            assert submission.future is not None
            error = failure_of(submission.future)
            if error is None:
                fine.append((submission, when))
            elif isinstance(error, ExecutorStartError):
                raise error  # no call can be executed there, and none has failed
            else:
                self._lost(submission, error, when)
        if not fine:
            return
        began = self.clock.monotonic()
        reports = site.reports([submission.future for submission, _ in fine if submission.future is not None])
        for (submission, when), report in zip(fine, reports, strict=True):
            if isinstance(report, WorkerLostError):
                self._lost(submission, report, when)
            else:
                self._apply(submission, report, when)
        if site.room > 1:
            each = (self.clock.monotonic() - began) / len(fine)
            calls = sum(calls_of(submission.pieces) for submission, _ in fine) / len(fine)
            site.batching.load.driver.reported(calls, each)

    def _apply(self, submission: Submission, report: Any, when: float) -> None:
        site, reports = submission.site, self.reports[submission.site.number]
        self.calls.received_bytes += home_bytes(report)
        opened, size = site.received(submission.shipment, report)
        if isinstance(opened, BaseException):
            reports.batch_failed(submission.pieces, opened)
            return
        if size:
            reports.weigh(submission.shipment.outward(submission.pieces), size)
        spent = reports.apply(submission.pieces, opened, submission.shipment.name, apart=submission.apart)
        if submission.ticket is not None:
            worker, _, began = opened.stamp
            site.batching.load.returned(submission.ticket, when, spent, worker)
            site.batching.load.slot_used(worker, began, began + spent, submission.ticket, site.slots)

    def _lost(self, submission: Submission, error: BaseException, when: float) -> None:
        """A batch failed as a whole; or only its report was lost, and is to come by another way."""
        site, again = submission.site, None
        if site.values is not None and isinstance(error, WorkerLostError):
            again = site.values.resubmit_facts(submission.shipment)
            error = site.values.own_error(submission.shipment, error)
        if again is not None:
            self.submissions.resume(submission, again)
        else:
            shipment, away = submission.shipment, self.submissions.away(submission, when)
            begun = self.log_book.begun(shipment.name) if shipment.tells else None
            self.reports[site.number].batch_failed(submission.pieces, error, submission.crowded, away, begun)

    def _abandon(self) -> None:
        """The run is cut short: take back what waits, keep what came of calls that are over."""
        self.submissions.abandon(self.run.flow)
        for submission in self.submissions:
            report = submission.partial_report(fetch=self.stop.why is not None)
            if report is None and submission.shipment.logs is not None:
                lines = list(submission.shipment.logs.lines)
                self.log_book.reported("", submission.pieces, lines, handle=False)
            elif report is not None:
                name = submission.shipment.name
                self.reports[submission.site.number].apply(submission.pieces, report, name)
        if self.cache is not None:
            self.cache.collect()
        self.schedule.cancel()
