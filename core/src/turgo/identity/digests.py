"""Digests of values that are the same in every process.

A value is pickled into a hash, with care for what pickle writes differently from one process to the next: the order
of sets, shared references, functions and classes (by their code, see `code`), and the memory of arrays. A path
counts with the content of its file. The order of a dictionary counts, as a function may depend on it.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

from turgo.flows.flow import FlowDefinition
from turgo.flows.task import Task

DIGEST_BYTES = 20
"""Bytes of a digest."""

_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None), list, tuple, dict})
_SETS = (set, frozenset)
CODE = (FunctionType, MethodType, ModuleType, type, Task, FlowDefinition, type(lru_cache(len)))
"""Types of what is code and no data."""

Refer = Callable[[Any], Any]
"""What stands for code or for a path among data; None if its pickle does."""


def digest_of(value: Any, refer: Refer) -> str:
    """The digest of a value, in hexadecimal. Raises whatever its pickling raises."""
    sink = _Sink()
    _Digester(sink, refer).dump(value)
    return sink.hash.hexdigest()


class _Sink:
    """A file that keeps nothing but the hash of what is written to it."""

    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=DIGEST_BYTES)

    def write(self, data: Any) -> None:
        self.hash.update(data)


class _Digester(pickle.Pickler):
    """Puts digests in the place of what has no stable pickle."""

    def __init__(self, sink: _Sink, refer: Refer) -> None:
        super().__init__(sink, protocol=5)
        self.fast = True  # no references to what came before: whether two equal texts are one does not count
        self.refer = refer

    def persistent_id(self, obj: Any) -> Any:
        """What stands for an object; None if its pickle does."""
        cls = type(obj)
        if cls in _PLAIN:
            return None
        if cls in _SETS:
            return (cls.__name__, sorted(digest_of(item, self.refer) for item in obj))
        if isinstance(obj, (*CODE, Path)):
            return self.refer(obj)
        numpy = sys.modules.get("numpy")
        if numpy is not None and cls is numpy.ndarray and not obj.dtype.hasobject:
            memory = hashlib.blake2b(
                numpy.ascontiguousarray(obj).view("u1"), digest_size=DIGEST_BYTES
            ).digest()
            return ("array", obj.dtype, obj.shape, memory)
        return None
