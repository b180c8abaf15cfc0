"""The ledger keeps in columns what is known of a run's task runs.

A run of a million mapped calls must not make a million objects, so the engine writes the facts into columns, and a
`TaskRun` is made only when somebody looks::

    engine ──writes──> Ledger (columns) <──reads── TaskRuns ──makes on demand──> TaskRun ──> Attempt
"""

from __future__ import annotations

import traceback
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from turgo.records.states import STATES, TaskState
from turgo.records.task_run import Attempt, LogLine, TaskRun, TaskTotals, Values, titled

KEPT_FRAMES_CALLS = 1000
"""How many task runs that are tried again keep the frames of earlier errors. There may be a million, each with some."""


class Stamp(NamedTuple):
    """Where and when a batch ran: what turns its clock readings into times."""

    worker: str
    wall: float  # seconds since the epoch at the start of the batch
    clock: float  # the worker's monotonic clock at that moment, in seconds


class Failure(NamedTuple):
    """Why an attempt did not succeed.

    away: of a call that never came back, as its worker was lost or killed: when it was sent, in seconds since the
    epoch, and how many seconds later that was known.
    """

    state: TaskState
    error: BaseException
    traceback: str = ""
    away: tuple[float, float] | None = None


def _text_of(failure: Failure) -> str:
    """The traceback of a failure; what failed in this process still has its frames."""
    if failure.traceback or failure.error.__traceback__ is None:
        return failure.traceback
    return "".join(traceback.format_exception(failure.error))


class Span(NamedTuple):
    """The times of elements `low` to `high` of a mapped node, that ran one after the other in one batch.

    ends: readings of the clock. Neighbours with the same one were timed together, and took an equal part of it each.
    """

    low: int
    high: int
    stamp: Stamp
    began: float
    ends: array[float]


class MappedColumns:
    """The columns of one mapped node: a byte of state and eight of time for each element."""

    __slots__ = ("_latest", "spans", "states", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.states = bytearray(width)
        self.spans: list[Span] = []
        self._latest: tuple[array[int], int] = (array("l"), 0)

    def attempt(self, index: int) -> tuple[float, float, str] | None:
        """When element `index` last started, how long it took, and where; None if it never ran."""
        number = self._latest_span(index)
        if number < 0:
            return None
        span = self.spans[number]
        at = index - span.low
        low = bisect_left(span.ends, span.ends[at])
        share = bisect_right(span.ends, span.ends[at], low) - low
        before = span.ends[low - 1] if low else span.began
        duration = (span.ends[at] - before) / share
        began = before + (at - low) * duration
        return span.stamp.wall + began - span.stamp.clock, duration, span.stamp.worker

    def _latest_span(self, index: int) -> int:
        """The number of the last span that element `index` is in, or -1; kept for all elements once somebody asks.

        What is kept is the numbers, and how many spans are in them: both at once, as several threads may ask.
        """
        latest, indexed = self._latest
        if indexed < len(self.spans):
            latest = latest or array("l", (-1,)) * self.width
            known = len(self.spans)
            for number in range(indexed, known):
                span = self.spans[number]
                latest[span.low : span.high] = array("l", (number,)) * (span.high - span.low)
            self._latest = latest, known
        return latest[index] if latest else -1


Key = tuple[int, int | None]
"""A task run within a run: its node, and the element if the node is mapped."""


class Ledger:
    """The columns of one run. The engine writes them; everybody else reads them through `TaskRuns`.

    picked: for a node that takes one element, and did not get it, which one that is.
    open_values: gives the values, if the run keeps them.
    """

    def __init__(self, names: Sequence[str], indices: Sequence[int | None]) -> None:
        self.names = names
        self.indices = indices
        self.states = bytearray(len(names))
        self.times: list[tuple[Stamp, float, float] | None] = [None] * len(names)
        self.mapped: dict[int, MappedColumns] = {}
        self.failures: dict[Key, Failure] = {}
        self.inputs: dict[Key, str] = {}
        self.picked: dict[int, Key] = {}
        self.replayable: set[Key] = set()
        self.earlier: dict[Key, list[Attempt]] = {}
        self.logs: dict[Key, list[LogLine]] = {}
        self.open_values: Callable[[], Values] | None = None

    def last_attempt(self, key: Key) -> Attempt | None:
        """The attempt that `key` made last and that is not kept among the earlier ones, or None."""
        failure = self.failures.get(key)
        if failure is not None and failure.away is not None:
            facts: tuple[float, float, str] | None = (*failure.away, "")
        else:
            facts = self._facts(key)
        earlier = self.earlier.get(key)
        if facts is None or (earlier and earlier[-1].started == facts[0]):
            return None
        return Attempt(*facts, failure.error if failure else None)

    def _facts(self, key: Key) -> tuple[float, float, str] | None:
        """When a task run last started on a worker, how long it took there, and where; None if it never did."""
        node, index = key
        if index is not None:
            return self.mapped[node].attempt(index)
        times = self.times[node]
        if times is None:
            return None
        stamp, began, ended = times
        return stamp.wall + began - stamp.clock, ended - began, stamp.worker

    def keep_attempt(self, key: Key) -> None:
        """The attempt that `key` made last is not the last one that it makes."""
        attempt = self.last_attempt(key)
        if attempt is not None:
            if len(self.earlier) >= KEPT_FRAMES_CALLS and attempt.error is not None:
                attempt.error.__traceback__ = None
            self.earlier.setdefault(key, []).append(attempt)
        if key[1] is None:
            self.times[key[0]] = None

    def keep_loss(self, key: Key, failure: Failure) -> None:
        """`key` was in a batch that was lost with its worker, and is submitted again."""
        if failure.away is not None:
            self.earlier.setdefault(key, []).append(Attempt(*failure.away, "", failure.error))

    def task_run(self, key: Key) -> TaskRun:
        """All that is known of one task run."""
        node, index = key
        code = self.states[node] if index is None else self.mapped[node].states[index]
        failure = self.failures.get(key)
        last = self.last_attempt(key)
        return TaskRun(
            name=self.names[node],
            index=self.index(key),
            state=STATES[code],
            attempts=(*self.earlier.get(key, ()), *((last,) if last else ())),
            error=failure.error if failure else None,
            traceback=_text_of(failure) if failure else "",
            logs=tuple(self.logs.get(key, ())),
            input=self.inputs.get(key, ""),
            replayable=key in self.replayable,
            key=key,
            open_values=self.open_values,
        )

    def index(self, key: Key) -> int | None:
        """Which element of a map a task run is, if it is one."""
        return self.indices[key[0]] if key[1] is None else key[1]

    def title(self, key: Key) -> str:
        """A task run in words, with its input if that is known."""
        return titled(self.names[key[0]], self.index(key), self.inputs.get(key, ""))

    def width(self, node: int) -> int:
        """How many task runs the node has: one, unless it is mapped and its width is known."""
        columns = self.mapped.get(node)
        return 1 if columns is None else columns.width

    def seconds(self, node: int) -> float:
        """How long the attempts of a node, and of each of its elements, took together; without those that were lost."""
        if node in self.mapped:
            return sum(span.ends[-1] - span.began for span in self.mapped[node].spans if span.ends)
        times = self.times[node]
        last = times[2] - times[1] if times else 0.0
        earlier = self.earlier.get((node, None), ())
        return last + sum(attempt.duration for attempt in earlier if attempt.worker)

    def by_task(self) -> dict[str, TaskTotals]:
        """The counts of each task name by themselves, and the seconds, in the order of the first call."""
        states: dict[str, Counter[TaskState]] = {}
        seconds: dict[str, float] = {}
        for node, name in enumerate(self.names):
            tally = states.setdefault(name, Counter())
            seconds[name] = seconds.get(name, 0.0) + self.seconds(node)
            columns = self.mapped.get(node)
            if columns is None:
                tally[STATES[self.states[node]]] += 1
            else:
                tally.update({state: columns.states.count(code) for code, state in enumerate(STATES)})
        return {
            name: TaskTotals({state: tally[state] for state in STATES if tally[state]}, seconds[name])
            for name, tally in states.items()
        }

    def counts(self) -> dict[TaskState, int]:
        """How many task runs there are in each state that occurs."""
        tally = [0] * len(STATES)
        for node, code in enumerate(self.states):
            columns = self.mapped.get(node)
            if columns is None:
                tally[code] += 1
            else:
                for each in range(len(STATES)):
                    tally[each] += columns.states.count(each)
        return {state: count for state, count in zip(STATES, tally, strict=True) if count}
