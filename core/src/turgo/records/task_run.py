"""The record of a task run. It has attempts, log lines, totals by task name, and events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import attrs

from turgo.errors import RunError
from turgo.records.states import TaskState

INPUTS_TASK_RUNS = 10_000
"""Of runs of more task runs nothing is said of the inputs but of those that failed, and their values are not held."""


class Attempt(NamedTuple):
    """One try of a task run.

    started: seconds since the epoch, by the clock of the driver's machine or the worker's.
    duration: seconds.
    worker: where it ran; empty if it never came back, as its worker was lost or killed: it started when it was sent.
    Of several calls that were sent together and lost, nobody knows which had begun; each has such an attempt.
    error: why it failed, or None.
    """

    started: float
    duration: float
    worker: str
    error: BaseException | None = None


class LogLine(NamedTuple):
    """One record that a task logged: its logger, level (as in `logging`), text and time (seconds since the epoch)."""

    logger: str
    level: int
    message: str
    time: float


@attrs.frozen
class TaskRun:
    """One execution of one task call: of an element, if the task was mapped.

    name: the task's name; index: the element of a mapped task, else None; label: both, "measure[3]".
    state: what became of it; attempts: each of its tries; logs: what it logged.
    error: why it failed, with its traceback as text, or the Skip that it raised.
    input: of one that failed its arguments, shortened, or the label that its task makes of them; of the first thousand
    of a run. title: the label and that, "measure[3] (path='a.txt')".
    replayable: whether the journal of the run has its arguments, for `turgo replay`.
    started: seconds since the epoch, None if it never started; duration: seconds; worker: where it ran; all of the last
    attempt.
    key: which of the run it is: the number of its node, and the element if that is mapped.
    open_values: gives the values of the run.
    """

    name: str
    index: int | None
    state: TaskState
    attempts: tuple[Attempt, ...] = ()
    error: BaseException | None = None
    traceback: str = ""
    logs: tuple[LogLine, ...] = ()
    input: str = ""
    replayable: bool = False
    key: tuple[int, int | None] | None = attrs.field(default=None, repr=False, eq=False)
    open_values: Callable[[], Values] | None = attrs.field(default=None, repr=False, eq=False)

    @property
    def value(self) -> Any:
        """What it returned; a `NoValue`, which says why, if there is none.

        A value that stayed on a worker is fetched. Raises RunError if the run keeps no values.
        """
        return opened(self.open_values).of(self.key)

    @property
    def started(self) -> float | None:
        """When its last attempt started, in seconds since the epoch; None if it never ran."""
        return self.attempts[-1].started if self.attempts else None

    @property
    def duration(self) -> float | None:
        """How long its last attempt took, in seconds; None if it never ran."""
        return self.attempts[-1].duration if self.attempts else None

    @property
    def worker(self) -> str | None:
        """Where its last attempt ran; None if it never ran."""
        return self.attempts[-1].worker if self.attempts else None

    @property
    def label(self) -> str:
        """`name`, or `name[index]`."""
        return titled(self.name, self.index)

    @property
    def title(self) -> str:
        """`name[index] (input)`, as it is shown."""
        return titled(self.name, self.index, self.input)


def titled(name: str, index: int | None, input: str = "") -> str:
    """A task run in words: `name`, `name[index]`, `name[index] (input)`."""
    label = name if index is None else f"{name}[{index}]"
    return f"{label} ({input})" if input else label


@attrs.frozen
class NoValue:
    """What stands in the place of the value of a task run that has none.

    label: of the task run; state: what became of it; reason: why there is no value, in words; error: what it failed by.
    """

    label: str
    state: TaskState
    reason: str
    error: BaseException | None = None

    def __repr__(self) -> str:
        return f"<no value: {self.reason}>"


class Values(Protocol):
    """The values of a run, with a NoValue for each that is not there."""

    def of(self, key: Any) -> Any:
        """That of one task run, by its key."""

    def named(self, what: Any) -> list[Any]:
        """Those of all runs of a task."""

    def partial(self) -> Any:
        """The shape that the flow returned."""


def opened(open_values: Callable[[], Values] | None) -> Values:
    """The values of a run. Raises RunError if it keeps none."""
    if open_values is None:
        raise RunError("the values of this run were not kept: flow.run(keep_values=True) keeps them")
    return open_values()


class TaskTotals(NamedTuple):
    """What became of all task runs of one task name.

    states: how many there are in each state that occurs; seconds: what their attempts took together.
    """

    states: dict[TaskState, int]
    seconds: float

    @property
    def runs(self) -> int:
        """How many task runs there are."""
        return sum(self.states.values())


@attrs.frozen
class TaskEvent:
    """What observers get: `count` task runs of one node went into `state`.

    `low` and `high` bound the elements of a mapped node (`high` is not among them); both are None for a single call.
    title: of a task run that failed for good, what it is with its input, "measure[3] (path='a.txt')".
    """

    task: str
    state: TaskState
    count: int
    node: int
    low: int | None = None
    high: int | None = None
    title: str = ""
