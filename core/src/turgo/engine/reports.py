"""Applies the report of a batch to the schedule and the ledger. It also updates what the run has learned.

    Report  ──>  outcomes ──> schedule    times ──> ledger    logs ──> log book    costs and sizes ──> batching

A submission that failed as a whole is applied here as well: its worker was lost, or what it holds cannot be shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import nullcontext, suppress
from sys import getsizeof
from typing import TYPE_CHECKING, Any

from turgo.engine.batching.budget import Batching
from turgo.engine.log_book import Begun, LogBook
from turgo.engine.schedule.pieces import Piece, first_of, gaps
from turgo.engine.schedule.remote import RemoteValue
from turgo.engine.schedule.schedule import Schedule
from turgo.engine.transport.report import drop_locals, failure_from
from turgo.errors import TaskTimeoutError, WorkerLostError
from turgo.executor import Executor
from turgo.flows.task import AnyTask
from turgo.records.ledger import Failure, Span, Stamp
from turgo.records.states import TaskState
from turgo.worker.outcomes import CallFailure, CallOutcome, MapOutcome, Outcome, Report
from turgo.worker.output.lines import Line
from turgo.worker.process import is_local
from turgo.worker.values.pickles import LARGE_VALUE_BYTES

if TYPE_CHECKING:
    from turgo.engine.kept.cache import Cache

WHOLE_FAILURES = 10
"""How many failures of a run keep the local variables of their frames. A run may have a million, each with its data."""

_LOST = (WorkerLostError, BrokenExecutor)
"""What the future of a call that was lost with its worker raises."""


class Reports:
    """Takes in the reports of one run."""

    def __init__(
        self,
        schedule: Schedule,
        batching: Batching,
        executor: Executor,
        cache: Cache | None = None,
        log_book: LogBook | None = None,
    ) -> None:
        self.schedule = schedule
        self.progress = schedule.progress
        self.batching = batching
        self.executor = executor
        self.cache = cache
        self.log_book = log_book or LogBook(schedule.progress, "")
        self.failures = 0
        self._shares_workers = "distributed" in executor.capabilities

    def weigh(self, pieces: list[Piece], size: int) -> None:
        """Learn how large values are from a report that was sent: an equal part of it for each call."""
        calls = sum(high - low or 1 for _, low, high in pieces)
        for task in {self.progress.nodes[node].task for node, _, _ in pieces}:
            self.batching.learn_size(task, size / calls)

    def batch_failed(
        self,
        pieces: list[Piece],
        error: BaseException,
        among_others: bool = False,
        away: tuple[float, float] | None = None,
        begun: Begun | None = None,
    ) -> None:
        """A submission itself failed: its worker is gone, or what it holds cannot be sent.

        among_others: whether another submission was under way with it. away: when it was sent, in seconds since the
        epoch, and how many seconds later it failed; None if it was not. begun: what it has told of its calls.
        """
        first = first_of(pieces[0])
        if len(pieces) == 1 and pieces[0][2] - pieces[0][1] <= 1 and not isinstance(error, _LOST):
            killed = isinstance(error, TaskTimeoutError)
            reported = CallFailure("TimedOut" if killed else "Failed", error, "")
            failure = failure_from(reported, self.progress.nodes[first[0]].task)
            self.schedule.failed(first, failure._replace(away=away if killed else None))
        else:
            known = error if isinstance(error, WorkerLostError) else None
            vague = isinstance(error, BrokenExecutor) or (known is not None and not known.sure)
            sure = not (vague and among_others)
            lost = Failure(TaskState.CRASHED, error, away=away)
            if self._shares_workers:  # what is sent again may be what kills, and is to take nothing along
                self.schedule.attempts.isolated = True
            waited = begun is not None and begun.last is None and not sure
            if (known is not None and (known.blameless or not known.begun)) or waited:
                self.schedule.excused(pieces, lost)
            else:
                self.schedule.lost(pieces, lost, sure=sure, last=begun.last if begun is not None else None)

    def apply(self, pieces: list[Piece], report: Report, batch: str = "", *, apart: bool = False) -> float:
        """Take in what came of a batch; returns the seconds of work that were in it.

        batch: its name, if its lines may have come while it ran. apart: whether its calls share a batch with no others.
        """
        outcomes, stamp = report.outcomes, Stamp(*report.stamp)
        schedule, times = self.schedule, self.progress.ledger.times
        spent: dict[AnyTask, list[float]] = {}
        kept: list[Any] = []
        calls: float
        if report.lines:
            forwarded = not batch and "forwards_logs" in self.executor.capabilities
            handle = not forwarded and not is_local(stamp.worker)
            self.log_book.reported(batch, pieces, [Line(*each) for each in report.lines], handle=handle)
        if self.cache is not None:
            self.cache.keep(pieces, outcomes, stamp.worker)
        for (node_id, low, _), outcome in zip(pieces, outcomes, strict=False):
            if outcome is None:
                schedule.not_run((node_id, None))
                continue
            task = self.progress.nodes[node_id].task
            if type(outcome) is CallOutcome:
                value, failure, began, ended = outcome
                times[node_id] = (stamp, began, ended)
                if failure is None:
                    kept.append(value)
                    schedule.succeeded(node_id, value)
                else:
                    schedule.failed((node_id, None), self._failure(failure, task))
                seconds, calls = ended - began, 1
            else:
                calls, seconds = self._apply_elements(node_id, low, stamp, outcome)
            if (total := spent.get(task)) is None:
                total = spent[task] = [0, 0.0]
            total[0] += calls
            total[1] += seconds
        if kept and self.progress.keeping:
            self.progress.weigh(_sizes_of(kept))
        with self.schedule.ready.apart() if apart else nullcontext():
            self._give_back(pieces, outcomes)
        for task, (calls, seconds) in spent.items():
            self.batching.learn(task, int(calls), seconds)
        return sum(seconds for _, seconds in spent.values())

    def _apply_elements(self, node_id: int, low: int, stamp: Stamp, outcome: MapOutcome) -> tuple[int, float]:
        """Take in what came of the elements of a piece: how many they were, and the seconds that they took."""
        values, failures, began, ends = outcome
        high = low + len(ends)
        self.progress.ledger.mapped[node_id].spans += _spans(low, high, stamp, outcome)
        self.schedule.elements_succeeded(node_id, low, high, values, failures)
        self._element_failures(node_id, low, failures)
        if values:
            size = _size_of(values[-1])  # one stands for all
            if size >= LARGE_VALUE_BYTES:
                self.batching.learn_size(self.progress.nodes[node_id].task, size)
            if self.progress.keeping:
                self.progress.weigh(size * len(values))
        return high - low, ends[-1] - began

    def _failure(self, reported: CallFailure, task: AnyTask) -> Failure:
        """The failure of a call; only the first few keep what their frames held, for a debugger."""
        self.failures += 1
        failure = failure_from(reported, task)
        if self.failures > WHOLE_FAILURES:
            drop_locals(failure.error)
        return failure

    def _give_back(self, pieces: list[Piece], outcomes: Sequence[Outcome]) -> None:
        """What a batch that took too long did not come to is ready again."""
        left = pieces[len(outcomes) :]
        last = outcomes[-1] if outcomes else None
        if isinstance(last, MapOutcome):
            node_id, low, high = pieces[len(outcomes) - 1]
            over = low + len(last.ends)
            if over < high:
                left = [(node_id, over, high), *left]
        for piece in reversed(left):
            self.schedule.given_back(piece)

    def _element_failures(self, node_id: int, low: int, failures: dict[int, CallFailure | None]) -> None:
        task = self.progress.nodes[node_id].task
        for offset, failure in failures.items():
            if failure is None:
                self.schedule.not_run((node_id, low + offset))
            else:
                self.schedule.failed((node_id, low + offset), self._failure(failure, task))


def _size_of(value: Any) -> int:
    """Bytes of a value itself, without what it refers to: those of an array, a text, a list."""
    if type(value) is RemoteValue:
        return value.size
    try:
        return getsizeof(value)
    except Exception:  # noqa: BLE001  (it may be the user's own code)
        return 0


def _sizes_of(values: Sequence[Any]) -> int:
    """Bytes of several values: a batch may have thousands of small ones."""
    if RemoteValue not in set(map(type, values)):
        with suppress(Exception):  # it may be the user's own code
            return sum(map(getsizeof, values))
    return sum(map(_size_of, values))


def _spans(low: int, high: int, stamp: Stamp, outcome: MapOutcome) -> list[Span]:
    """The times of the elements of a piece; those that did not run, as what they follow failed, have none."""
    _, failures, began, ends = outcome
    not_run = [offset for offset, failure in failures.items() if failure is None]
    if not not_run:
        return [Span(low, high, stamp, began, ends)]
    return [
        Span(low + start, low + stop, stamp, ends[start - 1] if start else began, ends[start:stop])
        for start, stop in gaps(not_run, high - low)
    ]
