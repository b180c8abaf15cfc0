"""A call as bytes, which the scheduler passes on as they are, and which a worker opens in the thread of the call.

    driver: pickle ── pipe(bytes, loads, call) ──> scheduler: bytes ──> worker: the function and its arguments

What a scheduler gets as objects it opens and pickles again, at twice the price of all else that it does for a call; and
where the pickle has a function by value, or `__main__` in it, distributed does so by cloudpickle, after two failures.
"""

from __future__ import annotations

import operator
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

from toolz import pipe

_MAIN = b"__main__"
_HALVES = b"__ma", b"in__"


def packed(fn: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """The same call with all of it in bytes. Raises what pickling it raises.

    Large arrays, and what they belong to, stay objects: they travel beside the pickle, and are not copied.
    """
    buffers: list[pickle.PickleBuffer] = []
    blob = pickle.dumps(partial(fn, *args), 5, buffer_callback=buffers.append)
    if buffers:
        call = pickle.loads(blob, buffers=buffers)
        return call.func, call.args
    if _MAIN not in blob:
        return pipe, (blob, pickle.loads, operator.call)
    return pipe, (_apart(blob), b"".join, pickle.loads, operator.call)


def _apart(blob: bytes) -> list[bytes]:
    """Bytes in pieces, none of which has `__main__` in it."""
    left, right = _HALVES
    first, *others = blob.split(_MAIN)
    pieces = [first]
    for other in others:
        pieces[-1] += left
        pieces.append(right + other)
    return pieces
