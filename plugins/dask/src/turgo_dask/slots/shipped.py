"""What workers call around the calls of a driver that holds slots. It is shipped by value: they have none of this."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from turgo_dask.calls.wrappers import ByValue
from turgo_dask.slots import on_worker


def telling(
    topic: str, key: str, fn: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The call that tells what the call of `fn` returns, and then holds its slot."""
    return _telling(), (topic, key, fn, *args)


def taking(
    topic: str, key: str, fn: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The call that takes what was kept of the call of `fn`, or makes it again."""
    return _taking(), (topic, key, fn, *args)


@cache
def _telling() -> ByValue:
    return ByValue(on_worker.tell)


@cache
def _taking() -> ByValue:
    return ByValue(on_worker.take)
