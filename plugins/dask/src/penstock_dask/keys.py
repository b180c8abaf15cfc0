"""Keys of calls, and the future of one that could not be sent."""

from __future__ import annotations

import concurrent.futures
import uuid
from collections.abc import Callable
from typing import Any

from penstock.errors import ValueNotPortableError
from penstock.executor import ExtraContext
from penstock.futures import Future


def not_portable(key: str, error: Exception) -> Future[Any]:
    """The future of a call that could not be sent."""
    not_portable = ValueNotPortableError(f"the call {key} cannot be pickled: {error.__cause__ or error}")
    not_portable.__cause__ = error
    return failed(not_portable)


def failed(error: Exception) -> Future[Any]:
    """The future of a call that was not sent."""
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()
    future.set_exception(error)
    return future


def key_of(fn: Callable[..., Any], hints: ExtraContext) -> str:
    """`name-index-…`, or `name-…` if it has no index: unique, and grouped by name on the dashboard.

    What is unique begins with the end of the run's id, so that one can tell on a shared cluster whose it is.
    """
    name = hints.get("task_name") or getattr(fn, "__name__", "call")
    index = hints.get("task_index")
    unique = uuid.uuid4().hex
    run = hints.get("run_id", "").rpartition("-")[2]
    if run:
        unique = run + unique[len(run) :]
    return f"{name}-{unique}" if index is None else f"{name}-{index}-{unique}"
