"""The loop: joins the schedule, the batches and the work to an executor, and reports to observers.

    schedule ──ready calls──> take ──pieces──> Shipment ──> executor.submit(work.execute, shipment)
        ^                                                              │ future done (any thread)
        └──────── outcomes <── report <── queue of arrivals <──────────┘

Everything but the callback of a future, which only puts it into the queue, happens in one thread.
"""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import BrokenExecutor
from heapq import heappop, heappush
from typing import Any

import attrs

from penstock.engine import work
from penstock.engine.batching import Batching
from penstock.engine.elements import gaps
from penstock.engine.portable import Parcel
from penstock.engine.queues import AnyTask, Lane, Piece
from penstock.engine.schedule import Schedule, keys_of
from penstock.engine.shipping import Calls, Shipment, drop_locals, failure_from, open_report
from penstock.engine.taking import Taking
from penstock.engine.telling import Observers
from penstock.errors import ExecutorError, TaskTimeoutError, WorkerLostError
from penstock.executor import Executor, ExtraContext
from penstock.futures import Future, failure_of
from penstock.ledger import Failure, Key, Span, Stamp
from penstock.records import FlowRun, LogLine
from penstock.states import TaskState

logger = logging.getLogger("penstock")

WITH_LOCALS = 10
"""How many failures of a run keep the local variables of their frames. A run may have a million, and each its data."""

_LOST = (WorkerLostError, BrokenExecutor)

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
    def __init__(self, schedule: Schedule, executor: Executor, run: FlowRun, told: Observers) -> None:
        self.schedule, self.executor, self.run, self.told = schedule, executor, run, told
        self.batching = Batching()
        self.calls = Calls()
        self.flights: dict[int, _Flight] = {}
        self.arrivals: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        self.waiting: list[tuple[float, int, Key]] = []
        self.lanes: deque[Lane] = deque()
        self.sent = 0
        self.failures = 0

    def go(self) -> None:
        """Run until every node is over."""
        try:
            while not self.schedule.done:
                self._submit()
                self._collect()
        except BaseException:
            self._abandon()
            raise

    # Out.

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
        shipment = self._load(pieces)
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
            self._batch_failed(pieces, error)
            return
        arrivals = self.arrivals
        flight.future.add_done_callback(lambda future: arrivals.put((number, time.perf_counter())))

    def _load(self, pieces: list[Piece]) -> Shipment:
        schedule, calls = self.schedule, self.calls
        nodes, mapped, here = schedule.nodes, schedule.mapped, calls.here
        given: dict[int, Any] = {}
        loaded: list[Any] = []
        made: set[tuple[int, int]] = set()
        for node_id, low, high in pieces:
            node = nodes[node_id]
            if low < 0:
                loaded.append((node, here[node.task], low, high, None))
            else:
                loaded.append((node, here[node.task], low, high, self._columns(node_id, low, high, made)))
                made.add((node_id, low))
            if mapped:
                for read in node.reads:
                    if read in mapped and schedule.values[read] is not None:
                        given[read] = list(schedule.values[read])
        return Shipment(loaded, given, schedule.values, calls, schedule.users)

    def _columns(self, node_id: int, low: int, high: int, made: set[tuple[int, int]]) -> list[Any]:
        """What elements `low` to `high` are spread over; the number of a node whose elements are made in this batch."""
        mapped = self.schedule.mapped
        columns: list[Any] = []
        for source in mapped[node_id].columns:
            if type(source) is not int:
                columns.append(source[low:high])
            elif (source, low) in made:
                columns.append(source)
            else:
                columns.append(mapped[source].values[low:high])
        return columns

    # Back.

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
                self._batch_failed(flight.pieces, error, among_others)
        if not fine:
            return
        reports = self.executor.wait([flight.future for flight, _ in fine])
        for (flight, when), report in zip(fine, reports, strict=True):
            opened = open_report(report)
            if isinstance(opened, BaseException):
                self._batch_failed(flight.pieces, opened)
                continue
            if isinstance(report, (bytes, Parcel)):
                self._weigh(flight.pieces, report.__sizeof__())
            spent = self._apply(flight.pieces, opened)
            if flight.idle:
                self.batching.learn_trip(max(when - flight.sent - spent, 0.0))

    def _weigh(self, pieces: list[Piece], size: int) -> None:
        """Learn how large values are from a report that was sent: an equal part of it for each call."""
        calls = sum(high - low or 1 for _, low, high in pieces)
        for task in {self.schedule.nodes[node].task for node, _, _ in pieces}:
            self.batching.learn_size(task, size / calls)

    def _batch_failed(self, pieces: list[Piece], error: BaseException, among_others: bool = False) -> None:
        """A submission itself failed: its worker is gone, or what it holds cannot be sent."""
        first = next(keys_of(pieces[0]))
        if len(pieces) == 1 and pieces[0][2] - pieces[0][1] <= 1 and not isinstance(error, _LOST):
            told = ("TimedOut" if isinstance(error, TaskTimeoutError) else "Failed", error, "")
            self.schedule.failed(first, failure_from(told, self.schedule.nodes[first[0]].task))
        else:
            vague = isinstance(error, BrokenExecutor) or (
                isinstance(error, WorkerLostError) and not error.sure
            )
            self.schedule.lost(pieces, Failure(TaskState.CRASHED, error), sure=not (vague and among_others))

    def _apply(self, pieces: list[Piece], report: Any) -> float:
        """Take in what came of a batch; returns the seconds of work that were in it."""
        stamp, outcomes, lines = report
        stamp = Stamp(*stamp)
        schedule, times = self.schedule, self.schedule.ledger.times
        spent: dict[AnyTask, list[float]] = {}
        calls: float
        if lines:
            self._log(pieces, lines)
        for (node_id, low, high), outcome in zip(pieces, outcomes, strict=False):
            if outcome is None:
                schedule.not_run((node_id, None))
                continue
            task = schedule.nodes[node_id].task
            if low < 0:
                good, value, began, ended = outcome
                times[node_id] = (stamp, began, ended)
                if good:
                    schedule.succeeded(node_id, value)
                else:
                    schedule.failed((node_id, None), self._failure(value, task))
                seconds, calls = ended - began, 1
            else:
                began, values, ends, failures = outcome
                high = low + len(ends)
                schedule.ledger.mapped[node_id].spans += _spans(low, high, stamp, outcome)
                schedule.elements.succeeded(node_id, low, high, values, failures)
                self._element_failures(node_id, low, failures)
                seconds, calls = ends[-1] - began, high - low
            total = spent.setdefault(task, [0, 0.0])
            total[0] += calls
            total[1] += seconds
        self._give_back(pieces, outcomes)
        for task, (calls, seconds) in spent.items():
            self.batching.learn(task, int(calls), seconds)
        return sum(seconds for _, seconds in spent.values())

    def _failure(self, told: tuple[str, Any, str], task: AnyTask) -> Failure:
        """The failure of a call; only the first few keep what their frames held, for a debugger."""
        failure = failure_from(told, task)
        self.failures += 1
        if self.failures > WITH_LOCALS:
            drop_locals(failure.error)
        return failure

    def _give_back(self, pieces: list[Piece], outcomes: list[Any]) -> None:
        """What a batch that took too long did not come to is ready again."""
        left = pieces[len(outcomes) :]
        node_id, low, high = pieces[len(outcomes) - 1]
        if low >= 0 and len(outcomes[-1][2]) < high - low:
            left = [(node_id, low + len(outcomes[-1][2]), high), *left]
        for piece in reversed(left):
            self.schedule.given_back(piece)

    def _element_failures(self, node_id: int, low: int, failures: dict[int, Any]) -> None:
        task = self.schedule.nodes[node_id].task
        for offset, told in failures.items():
            if told is None:
                self.schedule.not_run((node_id, low + offset))
            else:
                self.schedule.failed((node_id, low + offset), self._failure(told, task))

    def _log(
        self, pieces: list[Piece], lines: Iterable[tuple[int, int | None, str, int, str, float, bool]]
    ) -> None:
        """Keep what the calls logged, and let the driver's handlers see what was logged in another process.

        An executor that forwards logs has let them see it already.
        """
        forwarded = "forwards_logs" in self.executor.capabilities
        for at, offset, name, level, message, when, elsewhere in lines:
            node_id, low, _ = pieces[at]
            key = (node_id, None if offset is None else low + offset)
            self.schedule.ledger.logs.setdefault(key, []).append(LogLine(name, level, message, when))
            logger = logging.getLogger(name)
            if elsewhere and not forwarded and logger.isEnabledFor(level):
                logger.handle(logger.makeRecord(name, level, "task", 0, message, (), None))

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
                self._apply(flight.pieces, (flight.shipment.stamp, list(flight.shipment.outcomes), ()))
        self.schedule.cancel()


def _spans(low: int, high: int, stamp: Stamp, outcome: Any) -> list[Span]:
    """The times of the elements of a piece; those that did not run, as what they follow failed, have none."""
    began, _, ends, failures = outcome
    not_run = [offset for offset, told in failures.items() if told is None]
    if not not_run:
        return [Span(low, high, stamp, began, ends)]
    return [
        Span(low + start, low + stop, stamp, ends[start - 1] if start else began, ends[start:stop])
        for start, stop in gaps(not_run, high - low)
    ]
