"""Versions of the contract: which are understood, and how an executor of an older one is made to fit.

The policy is in docs/api-versions.md. Each step has its shim here, and a test that runs an executor of that version.

    1   `submit(fn, /, *args, **kwargs)`: no hints. Never released; kept as the step that the tests take.
    2   `submit(fn, /, *args, extra_context=None, **kwargs)`
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

API_VERSION = 2
"""The version of the contract. It grows by methods that have a default; anything else makes it another."""

OLDEST_API_VERSION = 1
"""The oldest version that is still understood, by a shim for each step."""


def remedy_for(api_version: int, distribution: str) -> str | None:
    """What to upgrade so that an executor of this version can be used; None if it can."""
    if OLDEST_API_VERSION <= api_version <= API_VERSION:
        return None
    return distribution if api_version < OLDEST_API_VERSION else "penstock"


def adapt_submit(submit: Callable[..., Any], api_version: int) -> Callable[..., Any]:
    """The `submit` of an executor of an older version as this one calls it."""
    return _without_hints(submit) if api_version < 2 else submit


def _without_hints(submit: Callable[..., Any]) -> Callable[..., Any]:
    """From 1 to 2: the hints are left out."""

    @functools.wraps(submit)
    def adapted(executor: Any, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        return submit(executor, fn, *args, **kwargs)

    return adapted
