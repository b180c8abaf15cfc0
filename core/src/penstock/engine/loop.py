"""The loop: joins the schedule, the batches and the work to an executor, and reports to observers.

    schedule ──ready calls──> Taking ──pieces──> Shipment ──> executor.submit(work.execute, shipment)
        ^                                                                │ future done (any thread)
        └──────── outcomes <── report <── queue of arrivals <────────────┘

Everything but the callback of a future, which only puts it into the queue, happens in one thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

from penstock.caching.store import Store
from penstock.engine.cache import Cache
from penstock.engine.calling import Expired
from penstock.engine.calls import Calls
from penstock.engine.flights import Flight, Flights
from penstock.engine.limits import Limits
from penstock.engine.pieces import Piece, first_of
from penstock.engine.queues import Lane
from penstock.engine.reports import Reports
from penstock.engine.schedule import Schedule
from penstock.engine.shipping import load
from penstock.engine.site import Site, Sites
from penstock.engine.stopping import Stop
from penstock.engine.taking import Taking
from penstock.engine.telling import Observers
from penstock.errors import ExecutorError, WorkerLostError
from penstock.executor import ExtraContext
from penstock.flows.options import FlowOptions
from penstock.futures import failure_of
from penstock.ledger import Key
from penstock.records import FlowRun

HEAR = 0.5
"""Seconds of waiting at most: Python does not hear of a Ctrl-C that comes just as it begins to wait, but at its end."""

GRACE = 2.0
"""Seconds after its timeout that a call may take to heed it, before an executor with hard timeouts kills it."""


class Loop:
    """One run: what is under way, and what waits for its time."""

    def __init__(
        self,
        schedule: Schedule,
        sites: Sites,
        run: FlowRun,
        told: Observers,
        store: Store | None = None,
        options: FlowOptions | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.options, self.limits = options or FlowOptions(), limits or Limits({})
        self.flights = Flights(self.limits)
        self.schedule, self.sites, self.run, self.told = schedule, sites, run, told
        self.eventful = [each.executor for each in sites if each.eventful] if told else []
        schedule.bring = sites.bring
        self.calls = Calls((run.id, run.flow))
        self.waiting: list[tuple[float, int, Key]] = []
        self.lanes: deque[Lane] = deque()
        self.retried = 0
        self.cache = None if store is None else Cache(schedule, store, self.calls)
        self.stop = Stop(run.flow, self.options.timeout, self.flights.halt)
        self.reports = [Reports(schedule, site.batching, site.executor, self.cache) for site in sites]

    def go(self) -> None:
        """Run until every node is over. Raises why it ended before that; what was not over is Cancelled then."""
        schedule, fail_fast = self.schedule, self.options.fail_fast
        try:
            with self.stop.watched(self.flights.interrupt):
                while not schedule.done:
                    if fail_fast and schedule.first_failed is not None:
                        self.stop.fail_fast()
                    self.stop.check()
                    self._submit()
                    self.stop.check()  # before the end of a call that was interrupted is taken for its failure
                    self._collect()
        except BaseException as error:
            self._abandon()
            if isinstance(error, Expired) and self.stop.why is not None:
                raise self.stop.why from None
            raise

    def _submit(self) -> None:
        """Fill the windows of all sites."""
        if self.cache is not None:
            self.cache.answer()
        for site in self.sites:
            site.look()
        while (chosen := self._next()) is not None:
            self._send(*chosen)
            if self.flights.any_arrived():
                return

    def _next(self) -> tuple[Site, list[Piece]] | None:
        """The next batch, of each lane in turn, and where it is to go; None if there is none or no room for it."""
        queues = self.schedule.ready.queues
        if len(self.lanes) != len(queues):
            self.lanes = deque(queues)
        for _ in range(len(self.lanes)):
            lane = self.lanes[0]
            self.lanes.rotate(-1)
            ready, site = queues[lane], self.sites[lane.site]
            if not ready.pieces or site.full or (lane.secluded and site.under_way):
                continue
            if self.limits and self.limits.full(lane.tags):
                continue
            if not site.opened:
                self.sites.open(site)
            batching = site.batching
            taking = Taking(self.schedule, lane, batching.costs, batching.most)
            pieces = taking.fill(batching.budget(ready, site.slots), batching.chain())
            alike = site.luggage.weights.alike(pieces, self.schedule)
            for piece in reversed(pieces[alike:]):
                self.schedule.given_back(piece)
            return site, pieces[:alike]
        return None

    def _send(self, site: Site, pieces: list[Piece]) -> None:
        if self.stop.why is not None:
            return  # somebody ended the run just now
        node_id, low, high = pieces[0]
        task = self.schedule.nodes[node_id].task
        secluded = first_of(pieces[0]) in self.schedule.attempts.suspects
        shipment = load(pieces, self.schedule, self.calls)
        shipment.fail_fast = self.options.fail_fast
        context: ExtraContext = {
            "task_name": task.name,
            "task_index": low if high - low == 1 else None,
            "task_tags": task.policy.tags,
            "run_id": self.run.id,
        }
        if task.policy.timeout is not None and site.hard_timeouts:
            context["task_timeout"] = task.policy.timeout + GRACE
            shipment.killed_if_late = True
        try:
            self.flights.send(Flight(pieces, shipment, site, task.policy.tags, secluded), context)
        except ExecutorError:
            raise  # the executor broke its contract, or is not open: nothing can be run on it
        except Exception as error:  # noqa: BLE001  (an executor's own code, or a pickler that meets user data)
            self.reports[site.number].batch_failed(pieces, error)

    def _collect(self) -> None:
        """Wait for arrivals, retries that are due, or the next bunch of events, and take in what is there."""
        self._wake()
        if self.flights or (self.waiting and not self.schedule.ready):
            arrived = self.flights.arrived(self._patience())
            for site in self.sites:
                of_site = [each for each in arrived if each[0].site is site]
                if of_site:
                    self._take_in(site, of_site)
        elif not self.schedule.ready and not self.schedule.done:
            raise ExecutorError(
                "nothing runs and nothing is ready, but the run is not over: a defect of penstock"
            )
        if self.schedule.events:
            self.told.pass_on(self.run, self.schedule.events)
        if self.eventful:
            self.told.pass_on_events(self.run, self.eventful)

    def _patience(self) -> float:
        """Seconds until something is to be done even if nothing arrives."""
        if self.cache is not None and self.cache.busy:
            return 0.0
        until = [HEAR]
        if self.waiting:
            until.append(max(0.0, self.waiting[0][0] - time.monotonic()))
        if self.schedule.events:
            until.append(self.told.due_in())
        if self.eventful:
            until.append(self.told.ask_in())
        left = self.stop.due_in()
        if left is not None:
            until.append(left)
        return min(until)

    def _wake(self) -> None:
        """Put new retries on the clock, and hand those that are due back to the schedule."""
        now = time.monotonic()
        for delay, key in self.schedule.attempts.waiting:
            self.retried += 1  # breaks ties in the order of asking
            heappush(self.waiting, (now + delay, self.retried, key))
        self.schedule.attempts.waiting.clear()
        while self.waiting and self.waiting[0][0] <= now:
            self.schedule.retry(heappop(self.waiting)[2])

    def _take_in(self, site: Site, arrived: Sequence[tuple[Flight, float]]) -> None:
        fine: list[tuple[Flight, float]] = []
        among_others = len(arrived) > 1 or site.under_way > 0
        for flight, when in arrived:
            assert flight.future is not None
            error = failure_of(flight.future)
            if error is None:
                fine.append((flight, when))
            else:
                self._lost(flight, error, among_others, when)
        if not fine:
            return
        reports = site.reports([flight.future for flight, _ in fine if flight.future is not None])
        for (flight, when), report in zip(fine, reports, strict=True):
            if isinstance(report, WorkerLostError):
                self._lost(flight, report, among_others, when)
            else:
                self._apply(flight, report, when)

    def _apply(self, flight: Flight, report: Any, when: float) -> None:
        site, taker = flight.site, self.reports[flight.site.number]
        opened, size = site.luggage.received(flight.shipment, report)
        if isinstance(opened, BaseException):
            taker.batch_failed(flight.pieces, opened)
            return
        if size:
            taker.weigh(flight.shipment.outward(flight.pieces), size)
        spent = taker.apply(flight.pieces, opened)
        if flight.idle:
            site.batching.learn_trip(max(when - flight.sent - spent, 0.0))

    def _lost(self, flight: Flight, error: BaseException, among_others: bool, when: float) -> None:
        """A batch failed as a whole; or only the answer was lost, and is to come by another way."""
        site = flight.site
        told = site.luggage.told_again(flight.shipment) if isinstance(error, WorkerLostError) else None
        if told is not None:
            self.flights.send_on(flight, told)
        else:
            self.reports[site.number].batch_failed(flight.pieces, error, among_others, flight.away(when))

    def _abandon(self) -> None:
        """The run is cut short: take back what waits, keep what came of calls that are over."""
        self.flights.abandon(self.run.flow)
        for flight in self.flights:
            report = flight.brought(ask=self.stop.why is not None)
            if report is not None:
                self.reports[flight.site.number].apply(flight.pieces, report)
        self.schedule.cancel()
