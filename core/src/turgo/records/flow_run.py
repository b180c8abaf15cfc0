"""The record of a flow run. It has a state, a result or error, and task runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from turgo.errors import RunError
from turgo.records.states import RunState
from turgo.records.task_run import Values, opened
from turgo.records.task_runs import TaskRuns

_ABSENT: Any = object()

if TYPE_CHECKING:
    import typing_extensions

    from turgo.outlines.outline import Outline

    R_co = typing_extensions.TypeVar("R_co", covariant=True, default=Any)
else:
    R_co = TypeVar("R_co", covariant=True)  # `typing` knows defaults from Python 3.13 on


@attrs.define(eq=False)
class FlowRun(Generic[R_co]):
    """One execution of a flow with one executor.

    id: unique; flow, executor: their names; state: how far it is, or how it ended.
    task_runs: a TaskRun for each task call, and for each element of a mapped one, made when it is looked at.
    started: seconds since the epoch; duration: seconds, None while it runs, with start_seconds, that the start of its
    executor took.
    slots: how many calls its executors ran at once when it ended; None while it runs.
    journal: the id under which its journal lies, for `turgo runs show` and `turgo replay`; None if it has none.
    error: what ended the run if it did not succeed, or why a run that did has no result.
    """

    id: str
    flow: str
    executor: str
    task_runs: TaskRuns
    state: RunState = RunState.PENDING
    started: float | None = None
    duration: float | None = None
    start_seconds: float | None = None
    error: BaseException | None = attrs.field(default=None, repr=False)
    journal: str | None = None
    explainer: Callable[[Any], str] | None = attrs.field(default=None, repr=False)
    open_values: Callable[[], Values] | None = attrs.field(default=None, repr=False)
    drawer: Callable[[FlowRun[Any]], Outline] | None = attrs.field(default=None, repr=False)
    reporter: Callable[[FlowRun[Any], Path], None] | None = attrs.field(default=None, repr=False)
    slots: int | None = None
    _result: tuple[Any, ...] = attrs.field(default=(), repr=False, init=False)
    _stop: Callable[[], None] | None = attrs.field(default=None, repr=False, init=False)

    @property
    def ok(self) -> bool:
        """Whether the run succeeded."""
        return self.state is RunState.SUCCESS

    @property
    def result(self) -> R_co:
        """What the flow returned, with values in the place of results.

        A run may fail although all that the flow returns is there, when another task of it failed; and succeed without
        that if other tasks decide (`flow(reference=…)`). Raises TaskFailedError if a task that the result needs did not
        succeed, RunCancelledError if the run was cancelled, RunTimeoutError if its time was up, and RunError if it is
        not over.
        """
        if self._result:
            return self._result[0]  # type: ignore[no-any-return]
        raise self.error or RunError(f"the run of {self.flow} is not over: it is {self.state}")

    @property
    def partial(self) -> Any:
        """The shape that the flow returned, with what is there: a `NoValue` that says why stands for all that is not.

        It is `result` if there is one. A map has a value for each element that was not skipped.
        Raises RunError if the run was to keep no values.
        """
        return self._result[0] if self._result else opened(self.open_values).partial()

    def values(self, what: Any) -> list[Any]:
        """What the runs of a task returned, in their order; a `NoValue`, which says why, for each that has none.

        what: a task, its name, `"measure[3]"` for one element, or a TaskRun. Values that stayed on workers are fetched.
        Raises ParameterError if the run has no such task run, RunError if it was to keep no values.
        """
        return opened(self.open_values).named(what)

    def explain(self, what: Any) -> str:
        """In words: why a task run failed, was skipped or did not run, or what it waits for while the run is on.

        what: a TaskRun of this run, a task, its name, or `"measure[3]"` for one element. From any thread.
        Raises ParameterError if the run has no such task run.
        """
        if self.explainer is None:
            raise RunError(f"nothing is known yet of the task runs of {self.flow}: it has not begun")
        return self.explainer(what)

    @property
    def graph(self) -> Outline:
        """What the run looks like now: the calls of tasks, what they depend on, and the states that they are in.

        `print(run.graph)`, `run.graph.to_mermaid()`, `run.graph.to_svg()`; a notebook shows it. From any thread.
        """
        if self.drawer is None:
            raise RunError(f"nothing is known yet of the task runs of {self.flow}: it has not begun")
        return self.drawer(self)

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        from turgo.records.amounts import duration  # late, as the next: a notebook asks
        from turgo.records.run_html import run_html

        took = f" in {duration(self.duration)}" if self.duration is not None else ""
        count = len(self.task_runs)
        runs = "1 task run" if count == 1 else f"{count:,} task runs"
        headline = f"{self.flow}: {self.state}{took} on {self.executor} (run {self.id}), {runs}"
        return run_html(headline, self.task_runs, self.error)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write an HTML page to a file, and return its path: where the time went, and why what failed did.

        It needs no network. Raises MissingPackageError if bokeh is not installed (`turgo[report]`), OSError if the
        file cannot be written, and RunError if the run is not over.
        """
        if self.reporter is None or not self._over:
            raise RunError(f"the run of {self.flow} is not over: it is {self.state}")
        self.reporter(self, Path(path))
        return Path(path)

    @property
    def _over(self) -> bool:
        return self.state not in (RunState.PENDING, RunState.RUNNING)

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
        self.state = state
        self.error = error
        self._result = () if result is _ABSENT else (result,)
