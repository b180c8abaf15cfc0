"""The loop: joins the schedule, the batches and the work to an executor, and reports to observers.

    schedule ──ready calls──> Taking ──pieces──> Shipment ──> executor.submit(work.execute, shipment)
        ^                                                                │ future done (any thread)
        └──────── outcomes <── report <── queue of arrivals <────────────┘

Everything but the callback of a future, which only puts it into the queue, happens in one thread.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import attrs

from penstock.engine import work
from penstock.engine.batching import Batching
from penstock.engine.portable import Parcel
from penstock.engine.queues import Lane, Piece
from penstock.engine.reports import Reports
from penstock.engine.schedule import Schedule
from penstock.engine.shipping import Calls, Shipment, load, open_report
from penstock.engine.taking import Taking
from penstock.engine.telling import Observers
from penstock.errors import ExecutorError
from penstock.executor import Executor, ExtraContext
from penstock.futures import Future, failure_of
from penstock.ledger import Key
from penstock.records import FlowRun

logger = logging.getLogger("penstock")

GRACE = 2.0
"""Seconds after its timeout that a call may take to heed it, before an executor with hard timeouts kills it."""


@attrs.define
class _Flight:
    """A submission that is under way."""

    pieces: list[Piece]
    shipment: Shipment
    sent: float
    idle: bool
    future: Future[Any] | None = None
    secluded: bool = False


class Loop:
    """One run: what is under way, and what waits for its time."""

    def __init__(self, schedule: Schedule, executor: Executor, run: FlowRun, told: Observers) -> None:
        self.schedule, self.executor, self.run, self.told = schedule, executor, run, told
        self.batching = Batching()
        self.calls = Calls()
        self.flights: dict[int, _Flight] = {}
        self.arrivals: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        self.waiting: list[tuple[float, int, Key]] = []
        self.lanes: deque[Lane] = deque()
        self.sent = 0
        self.reports = Reports(schedule, self.batching, executor)

    def go(self) -> None:
        """Run until every node is over."""
        try:
            while not self.schedule.done:
                self._submit()
                self._collect()
        except BaseException:
            self._abandon()
            raise

    def _submit(self) -> None:
        """Fill the window: two submissions for each slot, so that none waits for the driver."""
        slots = max(1, self.executor.slots)
        while len(self.flights) < 2 * slots and not self._secluded():
            pieces = self._next(slots)
            if not pieces:
                return
            self._send(pieces, idle=len(self.flights) < slots)
            if not self.arrivals.empty():
                return

    def _next(self, slots: int) -> list[Piece]:
        """The next batch, of each lane in turn."""
        queues = self.schedule.queues
        if len(self.lanes) != len(queues):
            self.lanes = deque(queues)
        for _ in range(len(self.lanes)):
            lane = self.lanes[0]
            self.lanes.rotate(-1)
            ready = queues[lane]
            if ready.pieces and not (lane.secluded and self.flights):
                taking = Taking(self.schedule, lane, self.batching.costs, self.batching.most)
                return taking.fill(self.batching.budget(ready, slots), self.batching.chain())
        return []

    def _secluded(self) -> bool:
        """Whether a call runs that is suspected of killing workers, so that nothing else should."""
        return bool(self.schedule.suspects) and any(flight.secluded for flight in self.flights.values())

    def _send(self, pieces: list[Piece], *, idle: bool) -> None:
        number = self.sent = self.sent + 1
        shipment = load(pieces, self.schedule, self.calls)
        flight = self.flights[number] = _Flight(pieces, shipment, time.perf_counter(), idle)
        node_id, low, high = pieces[0]
        task = self.schedule.nodes[node_id].task
        context: ExtraContext = {
            "task_name": task.name,
            "task_index": low if high - low == 1 else None,
            "task_tags": task.policy.tags,
        }
        if task.policy.timeout is not None and self.schedule.hard_timeouts:
            context["task_timeout"] = task.policy.timeout + GRACE
        flight.secluded = (node_id, low if low >= 0 else None) in self.schedule.suspects
        try:
            flight.future = self.executor.submit(work.execute, shipment, extra_context=context)
        except ExecutorError:
            raise  # the executor broke its contract, or is not open: nothing can be run on it
        except Exception as error:  # noqa: BLE001  (an executor's own code, or a pickler that meets user data)
            del self.flights[number]
            self.reports.batch_failed(pieces, error)
            return
        arrivals = self.arrivals
        flight.future.add_done_callback(lambda future: arrivals.put((number, time.perf_counter())))

    def _collect(self) -> None:
        """Wait for arrivals, retries that are due, or the next bunch of events, and take in what is there."""
        self._wake()
        if self.flights:
            arrived = self._arrived(self._patience())
            if arrived:
                self._take_in(arrived)
        elif self.waiting and not self._any_ready():
            time.sleep(self._patience() or 0.0)
        elif not self._any_ready() and not self.schedule.done:
            raise ExecutorError(
                "nothing runs and nothing is ready, but the run is not over: a defect of penstock"
            )
        if self.schedule.events:
            self.told.pass_on(self.run, self.schedule.events)

    def _any_ready(self) -> bool:
        return any(ready.pieces for ready in self.schedule.queues.values())

    def _patience(self) -> float | None:
        """Seconds until something is to be done even if nothing arrives; None if only an arrival matters."""
        until: list[float] = []
        if self.waiting:
            until.append(max(0.0, self.waiting[0][0] - time.monotonic()))
        if self.schedule.events:
            until.append(self.told.due_in())
        return min(until, default=None)

    def _wake(self) -> None:
        """Put new retries on the clock, and hand those that are due back to the schedule."""
        now = time.monotonic()
        for delay, key in self.schedule.retries:
            self.sent += 1  # breaks ties in the order of asking
            heappush(self.waiting, (now + delay, self.sent, key))
        self.schedule.retries.clear()
        while self.waiting and self.waiting[0][0] <= now:
            self.schedule.retry(heappop(self.waiting)[2])

    def _arrived(self, patience: float | None) -> list[tuple[_Flight, float]]:
        arrived = []
        try:
            number, when = self.arrivals.get(timeout=patience)
            while True:
                arrived.append((self.flights.pop(number), when))
                number, when = self.arrivals.get_nowait()
        except queue.Empty:
            return arrived

    def _take_in(self, arrived: Sequence[tuple[_Flight, float]]) -> None:
        fine = []
        among_others = len(arrived) > 1 or bool(self.flights)
        for flight, when in arrived:
            assert flight.future is not None
            error = failure_of(flight.future)
            if error is None:
                fine.append((flight, when))
            else:
                self.reports.batch_failed(flight.pieces, error, among_others)
        if not fine:
            return
        reports = self.executor.wait([flight.future for flight, _ in fine])
        for (flight, when), report in zip(fine, reports, strict=True):
            opened = open_report(report)
            if isinstance(opened, BaseException):
                self.reports.batch_failed(flight.pieces, opened)
                continue
            if isinstance(report, (bytes, Parcel)):
                self.reports.weigh(flight.pieces, report.__sizeof__())
            spent = self.reports.apply(flight.pieces, opened)
            if flight.idle:
                self.batching.learn_trip(max(when - flight.sent - spent, 0.0))

    def _abandon(self) -> None:
        """The run is cut short: take back what waits, keep what an interrupted batch still brought."""
        sent = [flight.future for flight in self.flights.values() if flight.future is not None]
        for flight in self.flights.values():
            flight.shipment.abandoned = True
        try:
            self.executor.cancel(sent)
        except Exception:
            logger.warning("the calls of %s could not be taken back", self.run.flow, exc_info=True)
        for flight in self.flights.values():
            if flight.shipment.outcomes:
                self.reports.apply(flight.pieces, (flight.shipment.stamp, list(flight.shipment.outcomes), ()))
        self.schedule.cancel()
