"""The pluggy hooks of turgo: what a plugin may implement.

An executor plugin is a light module, named by an entry point of the group `turgo.executors`::

    from turgo.executor import ExecutorSpec
    from turgo.hooks import hookimpl

    @hookimpl
    def turgo_executors():
        yield ExecutorSpec(name="turbine", target="turgo_turbine.executor:TurbineExecutor", summary="…")

An observer is a module or an object that implements any of the others; it is named by an entry point of the
group `turgo.observers`, or handed to `flow.run(observers=[…])`. All are called in the thread that runs the
flow, save for events while an executor starts. An observer that raises is reported once and left out of the
rest of the run. One that would receive nothing, as a hook of it is not marked with `@hookimpl`, misspelt, or
not there at all, is refused with an ObserverError before the run begins; an installed one is logged and left
out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pluggy

from turgo.executor import ExecutorEvent, ExecutorSpec
from turgo.records.flow_run import FlowRun
from turgo.records.task_run import TaskEvent

PROJECT = "turgo"
EXECUTORS_GROUP = "turgo.executors"
OBSERVERS_GROUP = "turgo.observers"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class ExecutorHooks:
    """What an executor plugin implements."""

    @hookspec
    def turgo_executors(self) -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
        """Yield the spec of each executor of this plugin. Called in any thread; must import nothing heavy."""


class ObserverHooks:
    """What an observer may implement; each hook is optional."""

    @hookspec
    def turgo_flow_started(self, run: FlowRun) -> None:
        """The executor of the run is open and nothing ran yet. Any thread may `run.cancel()` it from now on."""

    @hookspec
    def turgo_task_events(self, run: FlowRun, events: Sequence[TaskEvent]) -> None:
        """What became of task runs since the last call, oldest first; called some twenty times a second at most."""

    @hookspec
    def turgo_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Something happened to an executor of the run: a worker came or left, calls wait for one that suits them …

        While an executor starts, which may be before `turgo_flow_started`, it is called about once a second: by an
        event of the kind `starting`, then `start_over` or `start_failed`. That is in a thread of its own, and the
        thread that runs the flow calls no hook meanwhile.
        """

    @hookspec
    def turgo_flow_finished(self, run: FlowRun) -> None:
        """The run is over, however it ended; its executor is closed."""
