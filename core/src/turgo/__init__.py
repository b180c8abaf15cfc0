"""Turgo runs a flow of Python functions on whichever executor is named.

    from turgo import flow, task

    @task
    def double(x): return 2 * x

    @flow
    def doubles(n=3): return double.map(range(n))

    doubles.run(executor="dask").result

The names below are imported when they are first used, so that `import turgo` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turgo._version import __version__ as __version__
    from turgo.contract.versions import API_VERSION as API_VERSION
    from turgo.errors import Skip as Skip
    from turgo.errors import TaskFailedError as TaskFailedError
    from turgo.errors import TurgoError as TurgoError
    from turgo.errors import UsageError as UsageError
    from turgo.executor import Executor as Executor
    from turgo.executor import ExecutorSpec as ExecutorSpec
    from turgo.flows.mapping import unmapped as unmapped
    from turgo.flows.operators import case as case
    from turgo.flows.operators import flatten as flatten
    from turgo.flows.operators import merge as merge
    from turgo.flows.policy.retries import exponential as exponential
    from turgo.flows.policy.triggers import some_failed as some_failed
    from turgo.flows.policy.triggers import some_successful as some_successful
    from turgo.flows.task import Task as Task
    from turgo.flows.task import task as task
    from turgo.records.flow_run import FlowRun as FlowRun
    from turgo.records.states import RunState as RunState
    from turgo.records.states import TaskState as TaskState
    from turgo.records.task_run import NoValue as NoValue
    from turgo.records.task_run import TaskRun as TaskRun
    from turgo.registry.precedence import get_executor as get_executor
    from turgo.runner import Flow as Flow
    from turgo.runner import flow as flow
    from turgo.running.running_flow import RunningFlow as RunningFlow
    from turgo.worker.context import current as current
    from turgo.wrapper import WrappingExecutor as WrappingExecutor

# The one list of the names of the root: what a type checker reads above is held to it by a test.
_HOMES = {
    "API_VERSION": "turgo.contract.versions",
    "Executor": "turgo.executor",
    "ExecutorSpec": "turgo.executor",
    "Flow": "turgo.runner",
    "FlowRun": "turgo.records.flow_run",
    "TurgoError": "turgo.errors",
    "NoValue": "turgo.records.task_run",
    "RunState": "turgo.records.states",
    "RunningFlow": "turgo.running.running_flow",
    "Skip": "turgo.errors",
    "Task": "turgo.flows.task",
    "TaskFailedError": "turgo.errors",
    "TaskRun": "turgo.records.task_run",
    "TaskState": "turgo.records.states",
    "UsageError": "turgo.errors",
    "WrappingExecutor": "turgo.wrapper",
    "__version__": "turgo._version",
    "case": "turgo.flows.operators",
    "current": "turgo.worker.context",
    "exponential": "turgo.flows.policy.retries",
    "flatten": "turgo.flows.operators",
    "flow": "turgo.runner",
    "get_executor": "turgo.registry.precedence",
    "merge": "turgo.flows.operators",
    "some_failed": "turgo.flows.policy.triggers",
    "some_successful": "turgo.flows.policy.triggers",
    "task": "turgo.flows.task",
    "unmapped": "turgo.flows.mapping",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'turgo' has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOMES[name]), name)
    except (AttributeError, ImportError) as error:
        from turgo.hidden_modules import add_hidden_modules  # late: all is well

        add_hidden_modules(error)
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
