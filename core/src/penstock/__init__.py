"""Penstock carries a flow of Python functions to whichever executor is to run it.

    from penstock import flow, task

    @task
    def double(x): return 2 * x

    @flow
    def doubles(n=3): return double.map(range(n))

    doubles.run(executor="dask").result

The names below are imported when they are first used, so that `import penstock` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock._version import __version__
    from penstock.context import current
    from penstock.errors import PenstockError, Skip, TaskFailedError, UsageError
    from penstock.executor import Executor, ExecutorSpec
    from penstock.flows.branches import case, merge
    from penstock.flows.flattening import flatten
    from penstock.flows.marks import unmapped
    from penstock.flows.task import Task, task
    from penstock.records import FlowRun, TaskRun
    from penstock.registry import get_executor
    from penstock.retrying import exponential
    from penstock.running import Flow, flow
    from penstock.states import RunState, TaskState
    from penstock.versions import API_VERSION

_HOMES = {
    "API_VERSION": "penstock.versions",
    "Executor": "penstock.executor",
    "ExecutorSpec": "penstock.executor",
    "Flow": "penstock.running",
    "FlowRun": "penstock.records",
    "PenstockError": "penstock.errors",
    "RunState": "penstock.states",
    "Skip": "penstock.errors",
    "Task": "penstock.flows.task",
    "TaskFailedError": "penstock.errors",
    "TaskRun": "penstock.records",
    "TaskState": "penstock.states",
    "UsageError": "penstock.errors",
    "__version__": "penstock._version",
    "case": "penstock.flows.branches",
    "current": "penstock.context",
    "exponential": "penstock.retrying",
    "flatten": "penstock.flows.flattening",
    "flow": "penstock.running",
    "get_executor": "penstock.registry",
    "merge": "penstock.flows.branches",
    "task": "penstock.flows.task",
    "unmapped": "penstock.flows.marks",
}

__all__ = [
    "API_VERSION",
    "Executor",
    "ExecutorSpec",
    "Flow",
    "FlowRun",
    "PenstockError",
    "RunState",
    "Skip",
    "Task",
    "TaskFailedError",
    "TaskRun",
    "TaskState",
    "UsageError",
    "__version__",
    "case",
    "current",
    "exponential",
    "flatten",
    "flow",
    "get_executor",
    "merge",
    "task",
    "unmapped",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'penstock' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
