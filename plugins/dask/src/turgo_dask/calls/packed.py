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
from typing import Any, NamedTuple

from toolz import pipe

LIGHT_BYTES = 128 * 2**10
"""Bytes that are copied in less time than it takes to send them on their own."""

_MAIN = b"__main__"
_HALVES = b"__ma", b"in__"


class Packed(NamedTuple):
    """A call to be sent. pickled: all of it, if it is bytes alone, and few of them."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    pickled: bytes | None


def packed(fn: Callable[..., Any], args: tuple[Any, ...]) -> Packed:
    """The same call with all of it in bytes. Raises what pickling it raises.

    Large arrays, and what they belong to, stay objects: they travel beside the pickle, and are not copied.
    """
    buffers: list[pickle.PickleBuffer] = []
    blob = pickle.dumps(partial(fn, *args), 5, buffer_callback=buffers.append)
    if buffers:
        call = pickle.loads(blob, buffers=buffers)
        return Packed(call.func, call.args, None)
    light = blob if len(blob) <= LIGHT_BYTES else None
    if _MAIN not in blob:
        return Packed(*opening(blob), light)
    return Packed(pipe, (_apart(blob), b"".join, pickle.loads, operator.call), light)


def opening(blob: bytes) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """A function and its arguments that make the call in a pickle; a worker has all of it."""
    return pipe, (blob, pickle.loads, operator.call)


def _apart(blob: bytes) -> list[bytes]:
    """Bytes in pieces, none of which has `__main__` in it."""
    left, right = _HALVES
    first, *others = blob.split(_MAIN)
    pieces = [first]
    for other in others:
        pieces[-1] += left
        pieces.append(right + other)
    return pieces
