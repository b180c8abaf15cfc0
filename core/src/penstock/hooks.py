"""The pluggy hooks of penstock: what a plugin may implement.

An executor plugin is a light module, named by an entry point of the group `penstock.executors`::

    from penstock.executor import ExecutorSpec
    from penstock.hooks import hookimpl

    @hookimpl
    def penstock_executors():
        yield ExecutorSpec(name="turbine", target="penstock_turbine.executor:TurbineExecutor", summary="…")

An observer is a module or an object that implements any of the others; it is named by an entry point of the
group `penstock.observers`, or handed to `flow.run(observers=[…])`. All are called in the thread that runs the
flow. An observer that raises is reported once and left out of the rest of the run. One that would hear nothing, as a
hook of it is not marked with `@hookimpl`, misspelt, or not there at all, is refused with an ObserverError before the
run begins; an installed one is told of and left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pluggy

from penstock.executor import ExecutorEvent, ExecutorSpec
from penstock.records import FlowRun, TaskEvent

PROJECT = "penstock"
EXECUTORS_GROUP = "penstock.executors"
OBSERVERS_GROUP = "penstock.observers"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class ExecutorHooks:
    """What an executor plugin implements."""

    @hookspec
    def penstock_executors(self) -> Iterable[ExecutorSpec]:  # type: ignore[empty-body]
        """Yield the spec of each executor of this plugin. Called in any thread; must import nothing heavy."""


class ObserverHooks:
    """What an observer may implement; each hook is optional."""

    @hookspec
    def penstock_flow_started(self, run: FlowRun) -> None:
        """The executor of the run is open and nothing ran yet. Any thread may `run.cancel()` it from now on."""

    @hookspec
    def penstock_task_events(self, run: FlowRun, events: Sequence[TaskEvent]) -> None:
        """What became of task runs since the last call, oldest first; called some twenty times a second at most."""

    @hookspec
    def penstock_executor_event(self, run: FlowRun, event: ExecutorEvent) -> None:
        """Something happened to an executor of the run: a worker came or left, calls wait for one that suits them …"""

    @hookspec
    def penstock_flow_finished(self, run: FlowRun) -> None:
        """The run is over, however it ended; its executor is closed."""
