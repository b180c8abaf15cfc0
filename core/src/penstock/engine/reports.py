"""Reports: what came of a batch, taken into the schedule, the ledger and what the run has learned.

    report of `work`  ──>  outcomes ──> schedule    times and logs ──> ledger    costs and sizes ──> batching

A submission that failed as a whole is taken in here as well: its worker was lost, or what it holds cannot be sent.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import BrokenExecutor
from sys import getsizeof
from typing import Any

from penstock.engine import work
from penstock.engine.batching import Batching
from penstock.engine.cache import Cache
from penstock.engine.capture import Line
from penstock.engine.pieces import Piece, first_of, gaps
from penstock.engine.portable import LARGE
from penstock.engine.schedule import Schedule
from penstock.engine.unpacking import drop_locals, failure_from
from penstock.errors import TaskTimeoutError, WorkerLostError
from penstock.executor import Executor
from penstock.flows.task import AnyTask
from penstock.ledger import Failure, Key, Span, Stamp
from penstock.records import LogLine
from penstock.states import TaskState

WITH_LOCALS = 10
"""How many failures of a run keep the local variables of their frames. A run may have a million, and each its data."""

MOST_LINES = 100_000
"""How many lines that its tasks logged a run keeps. The handlers of the driver hear of all."""

_LOST = (WorkerLostError, BrokenExecutor)
"""What the future of a call that was lost with its worker raises."""


class Reports:
    """Takes in the reports of one run."""

    def __init__(
        self, schedule: Schedule, batching: Batching, executor: Executor, cache: Cache | None = None
    ) -> None:
        self.schedule, self.batching, self.executor = schedule, batching, executor
        self.cache = cache
        self.failures = self.lines = 0

    def weigh(self, pieces: list[Piece], size: int) -> None:
        """Learn how large values are from a report that was sent: an equal part of it for each call."""
        calls = sum(high - low or 1 for _, low, high in pieces)
        for task in {self.schedule.nodes[node].task for node, _, _ in pieces}:
            self.batching.learn_size(task, size / calls)

    def batch_failed(
        self,
        pieces: list[Piece],
        error: BaseException,
        among_others: bool = False,
        away: tuple[float, float] | None = None,
    ) -> None:
        """A submission itself failed: its worker is gone, or what it holds cannot be sent.

        away: when it was sent, in seconds since the epoch, and how many seconds later it failed; None if it was not.
        """
        first = first_of(pieces[0])
        if len(pieces) == 1 and pieces[0][2] - pieces[0][1] <= 1 and not isinstance(error, _LOST):
            killed = isinstance(error, TaskTimeoutError)
            told = ("TimedOut" if killed else "Failed", error, "")
            failure = failure_from(told, self.schedule.nodes[first[0]].task)
            self.schedule.failed(first, failure._replace(away=away if killed else None))
        else:
            vague = isinstance(error, BrokenExecutor) or (
                isinstance(error, WorkerLostError) and not error.sure
            )
            lost = Failure(TaskState.CRASHED, error, away=away)
            self.schedule.lost(pieces, lost, sure=not (vague and among_others))

    def apply(self, pieces: list[Piece], report: Any) -> float:
        """Take in what came of a batch; returns the seconds of work that were in it."""
        stamp, outcomes, lines = report
        stamp = Stamp(*stamp)
        schedule, times = self.schedule, self.schedule.ledger.times
        spent: dict[AnyTask, list[float]] = {}
        calls: float
        if lines:
            self._log(pieces, lines, stamp.worker)
        if self.cache is not None:
            self.cache.keep(pieces, outcomes)
        for (node_id, low, _), outcome in zip(pieces, outcomes, strict=False):
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
                calls, seconds = self._apply_elements(node_id, low, stamp, outcome)
            if (total := spent.get(task)) is None:
                total = spent[task] = [0, 0.0]
            total[0] += calls
            total[1] += seconds
        self._give_back(pieces, outcomes)
        for task, (calls, seconds) in spent.items():
            self.batching.learn(task, int(calls), seconds)
        return sum(seconds for _, seconds in spent.values())

    def _apply_elements(self, node_id: int, low: int, stamp: Stamp, outcome: Any) -> tuple[int, float]:
        """Take in what came of the elements of a piece: how many they were, and the seconds that they took."""
        began, values, ends, failures = outcome
        high = low + len(ends)
        self.schedule.ledger.mapped[node_id].spans += _spans(low, high, stamp, outcome)
        self.schedule.elements.succeeded(node_id, low, high, values, failures)
        self._element_failures(node_id, low, failures)
        if values and (size := _size_of(values[-1])) >= LARGE:  # one stands for all
            self.batching.learn_size(self.schedule.nodes[node_id].task, size)
        return high - low, ends[-1] - began

    def _failure(self, told: tuple[str, Any, str], task: AnyTask) -> Failure:
        """The failure of a call; only the first few keep what their frames held, for a debugger."""
        self.failures += 1
        failure = failure_from(told, task, whole=self.failures <= WITH_LOCALS)
        if self.failures > WITH_LOCALS:
            drop_locals(failure.error)
        return failure

    def _give_back(self, pieces: list[Piece], outcomes: list[Any]) -> None:
        """What a batch that took too long did not come to is ready again."""
        left = pieces[len(outcomes) :]
        node_id, low, high = pieces[len(outcomes) - 1]
        if outcomes and low >= 0 and len(outcomes[-1][2]) < high - low:
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

    def _log(self, pieces: list[Piece], lines: Iterable[Line], worker: str) -> None:
        """Keep what the calls logged, and let the driver's handlers see what was logged in another process.

        An executor that forwards logs has let them see it already.
        """
        unseen = not work.is_here(worker) and "forwards_logs" not in self.executor.capabilities
        for at, offset, name, level, message, when, crossed in lines:
            node_id, low, _ = pieces[at]
            key = (node_id, None if offset is None else low + offset)
            self._keep_line(key, LogLine(name, level, message, when))
            own = logging.getLogger(name)
            if crossed and unseen and own.isEnabledFor(level):
                record = own.makeRecord(name, level, "task", 0, message, (), None)
                node = self.schedule.nodes[node_id]
                record.created, record.msecs = when, when % 1 * 1000
                record.__dict__.update(
                    task=node.task.name,
                    task_index=node.index if offset is None else key[1],
                    worker=worker,
                )
                own.handle(record)

    def _keep_line(self, key: Key, line: LogLine) -> None:
        self.lines += 1
        if self.lines > MOST_LINES:
            return
        kept = self.schedule.ledger.logs.setdefault(key, [])
        kept.append(line)
        if self.lines == MOST_LINES:
            text = f"this run has logged {MOST_LINES:,} lines; those that follow are not kept"
            kept.append(LogLine("penstock", logging.WARNING, text, line.time))


def _size_of(value: Any) -> int:
    """Bytes of a value itself, without what it refers to: those of an array, a text, a list."""
    try:
        return getsizeof(value)
    except Exception:  # noqa: BLE001  (it may be the user's own code)
        return 0


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
