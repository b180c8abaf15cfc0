"""What a task becomes on a worker, where the code of another task calls it.

Needs nothing but the standard library, as workers may have no penstock.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any


def task_here(fn: Callable[..., Any], policy: bytes, name: str) -> Any:
    """The task, where penstock is installed; else its function, which is what calling it there comes to."""
    try:
        from penstock.flows.task import Task  # late: where there is no penstock, nothing else fails
    except ImportError:
        return fn
    return Task(fn, pickle.loads(policy), name)
