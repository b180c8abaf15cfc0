"""The functions that tasks and flows are made of: which may be one, what each is called, what it takes."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

from turgo.errors import TaskPolicyError
from turgo.flows.run_method import RESERVED
from turgo.names import did_you_mean, nearest


def check_task_function(fn: Any) -> None:
    """Raise TaskPolicyError for what cannot be a task."""
    if isinstance(fn, classmethod):
        raise TaskPolicyError(f"{fn.__name__} is a classmethod already; put @classmethod above @task")
    if not callable(fn):
        raise TaskPolicyError(f"@task needs a function, not {fn!r}")
    called = fn if hasattr(fn, "__name__") else getattr(fn, "__call__", fn)  # noqa: B004  (to look at it)
    for each in (fn, called):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise TaskPolicyError(
                f"{getattr(fn, '__qualname__', type(fn).__name__)} is a generator: its values could be taken only "
                "once, and not from elsewhere. Return a list"
            )


def check_flow_function(fn: Any) -> None:
    """Raise TaskPolicyError for what cannot be a flow."""
    if not callable(fn):
        raise TaskPolicyError(f"@flow needs a function, not {fn!r}")
    if inspect.isgeneratorfunction(fn) or inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
        raise TaskPolicyError(
            f"{fn.__qualname__} is a generator or async; a flow is a plain function that records its tasks and "
            "computes nothing. Tasks may be async"
        )
    taken = [name for name in RESERVED if name in inspect.signature(fn).parameters]
    if taken:
        raise TaskPolicyError(
            f"{fn.__qualname__} has a parameter {taken[0]!r}, which `run` needs for itself; rename it"
        )


def name_of(fn: Callable[..., Any], name: str | None) -> str:
    """What a task or flow is called: as it was named, else as its function. Raises TaskPolicyError for no name."""
    if name is not None and (type(name) is not str or not name):
        raise TaskPolicyError(f"name={name!r}: give a text, or nothing for the name of the function")
    return name or str(getattr(fn, "__name__", type(fn).__name__))


def signature_of(fn: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function; of a builtin without one (`max`), one that takes anything."""
    try:
        return inspect.signature(fn)
    except ValueError:
        return inspect.signature(lambda *args, **kwargs: None)


def positional_bounds(signature: inspect.Signature) -> tuple[int, int]:
    """How many arguments a call without named ones has, at least and at most."""
    kinds = inspect.Parameter
    fewest = most = 0
    for parameter in signature.parameters.values():
        required = parameter.default is kinds.empty
        if parameter.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD):
            most += 1
            fewest += required
        elif parameter.kind is kinds.VAR_POSITIONAL:
            most = sys.maxsize
        elif parameter.kind is kinds.KEYWORD_ONLY and required:
            fewest = sys.maxsize
    return fewest, most


def check_paths(task: str, files: Sequence[str], signature: inspect.Signature) -> None:
    """Raise TaskPolicyError if a parameter that is to hold a path is none of the function's."""
    for name in files:
        if name not in signature.parameters:
            hint = did_you_mean(nearest(name, signature.parameters)) or "."
            raise TaskPolicyError(f"files={list(files)!r}: {task}{signature} has no parameter {name!r}{hint}")
