"""Digests of values that are the same in every process.

A value is pickled into a hash, with care for what pickle writes differently from one process to the next: the order
of sets, shared references, functions (by their code, see `functions`), and the memory of arrays. The order of a
dictionary counts, as a function may depend on it.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from typing import Any

from penstock.caching.functions import FUNCTIONS, parts_of

SIZE = 20
"""Bytes of a digest."""

_SETS = (set, frozenset)


def digest_of(value: Any) -> str:
    """The digest of a value, in hexadecimal. Raises whatever its pickling raises."""
    return _digest(value, [])


def _digest(value: Any, inside: list[Any]) -> str:
    sink = _Sink()
    _Digester(sink, inside).dump(value)
    return sink.hash.hexdigest()


class _Sink:
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=SIZE)

    def write(self, data: Any) -> None:
        self.hash.update(data)


class _Digester(pickle.Pickler):
    """Puts digests in the place of what has no stable pickle. inside: the functions that are being looked at."""

    def __init__(self, sink: _Sink, inside: list[Any]) -> None:
        super().__init__(sink, protocol=5)
        self.fast = True  # no references to what came before: whether two equal texts are one does not count
        self.inside = inside

    def persistent_id(self, obj: Any) -> Any:
        """What stands for an object; None if its pickle does."""
        cls = type(obj)
        if cls in _SETS:
            return (cls.__name__, sorted(_digest(item, self.inside) for item in obj))
        if isinstance(obj, FUNCTIONS):
            return self._function(obj)
        numpy = sys.modules.get("numpy")
        if numpy is not None and cls is numpy.ndarray and not obj.dtype.hasobject:
            memory = hashlib.blake2b(numpy.ascontiguousarray(obj).view("u1"), digest_size=SIZE).digest()
            return ("array", obj.dtype, obj.shape, memory)
        return None

    def _function(self, fn: Any) -> Any:
        """A function by what it is made of; one that names itself, by where it stands among those looked at."""
        for depth, outer in enumerate(self.inside):
            if outer is fn:
                return ("again", depth)
        self.inside.append(fn)
        try:
            return ("function", _digest(parts_of(fn), self.inside))
        finally:
            self.inside.pop()
