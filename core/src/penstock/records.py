"""The records of a run: what users and observers see of it, while it runs and afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from penstock.errors import RunError
from penstock.states import RunState, TaskState

if TYPE_CHECKING:
    from penstock.task_runs import TaskRuns

_ABSENT: Any = object()


@attrs.frozen
class Attempt:
    """One try of a task run.

    started: seconds since the epoch, by the clock of the driver's machine or the worker's.
    duration: seconds.
    worker: where it ran; empty if it never came back, as its worker was lost or killed: it started when it was sent.
    error: why it failed, or None.
    """

    started: float
    duration: float
    worker: str
    error: BaseException | None = None


@attrs.frozen
class LogLine:
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
    started: seconds since the epoch, None if it never started; duration: seconds; worker: where it ran; all of the last
    attempt.
    key: which of the run it is: the number of its node, and the element if that is mapped.
    """

    name: str
    index: int | None
    state: TaskState
    attempts: tuple[Attempt, ...] = ()
    error: BaseException | None = None
    traceback: str = ""
    logs: tuple[LogLine, ...] = ()
    key: tuple[int, int | None] | None = attrs.field(default=None, repr=False, eq=False)

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
        return self.name if self.index is None else f"{self.name}[{self.index}]"


@attrs.frozen
class TaskTotals:
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
    """What observers hear: `count` task runs of one node went into `state`.

    `low` and `high` bound the elements of a mapped node (`high` is not among them); both are None for a single call.
    """

    task: str
    state: TaskState
    count: int
    node: int
    low: int | None = None
    high: int | None = None


@attrs.define(eq=False)
class FlowRun:
    """One execution of a flow with one executor.

    id: unique; flow, executor: their names; state: how far it is, or how it ended.
    task_runs: a TaskRun for each task call, and for each element of a mapped one, made when it is looked at.
    started: seconds since the epoch; duration: seconds, None while it runs.
    error: what ended the run if it did not succeed, or why a run that did has no result.
    """

    id: str
    flow: str
    executor: str
    task_runs: TaskRuns
    state: RunState = RunState.PENDING
    started: float | None = None
    duration: float | None = None
    error: BaseException | None = attrs.field(default=None, repr=False)
    explainer: Callable[[Any], str] | None = attrs.field(default=None, repr=False)
    _result: Any = attrs.field(default=_ABSENT, repr=False, init=False)
    _stop: Callable[[], None] | None = attrs.field(default=None, repr=False, init=False)

    @property
    def ok(self) -> bool:
        """Whether the run succeeded."""
        return self.state is RunState.SUCCESS

    @property
    def result(self) -> Any:
        """What the flow returned, with values in the place of results.

        A run may fail although all that the flow returns is there, when another task of it failed; and succeed without
        that if other tasks decide (`flow(reference=…)`). Raises TaskFailedError if a task that the result needs did not
        succeed, RunCancelledError if the run was cancelled, RunTimeoutError if its time was up, and RunError if it is
        not over.
        """
        if self._result is not _ABSENT:
            return self._result
        raise self.error or RunError(f"the run of {self.flow} is not over: it is {self.state}")

    def explain(self, what: Any) -> str:
        """In words: why a task run failed, was skipped or did not run, or what it waits for while the run is on.

        what: a TaskRun of this run, a task, its name, or `"measure[3]"` for one element. From any thread.
        Raises ParameterError if the run has no such task run.
        """
        if self.explainer is None:
            raise RunError(f"nothing is known yet of the task runs of {self.flow}: it has not begun")
        return self.explainer(what)

    def cancel(self) -> None:
        """End the run, from any thread: no call begins, those that run are stopped as far as the executor can.

        Returns at once; the run is Cancelled soon after. It does nothing to a run that is over.
        """
        stop = self._stop
        if stop is not None:
            stop()

    def cancel_by(self, stop: Callable[[], None] | None) -> None:
        """What `cancel` calls, in any thread; None if there is nothing to cancel. For the engine."""
        self._stop = stop

    def end(self, state: RunState, *, error: BaseException | None = None, result: Any = _ABSENT) -> None:
        """The run is over in `state`; `error` is what ended it if it failed, `result` what the flow returned."""
        self.state, self.error, self._result = state, error, result
