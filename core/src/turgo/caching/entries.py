"""Entries hold values as the bytes that a store keeps. They are checked when they are read.

    magic (16) │ time of writing (8) │ digest (32) of key, time and payload │ payload: a pickle

The digest finds what was damaged or cut short. It keeps nobody out: who can write an entry can write its digest.
"""

from __future__ import annotations

import hashlib
import pickle
import struct
from typing import Any

from turgo.errors import CorruptEntryError

MAGIC = b"turgo cache v1\r\n"  # 16 bytes
_HEAD = struct.Struct("!16sd32s")


def pack(key: str, value: Any, now: float) -> bytes:
    """The entry of a value; now: seconds since the epoch. Raises whatever the value's pickling raises."""
    try:
        payload = pickle.dumps(value, protocol=5)
    except Exception:  # noqa: BLE001  (cloudpickle can do more: lambdas, classes made in a function)
        import cloudpickle  # most values do not need it

        payload = cloudpickle.dumps(value, protocol=5)
    return _HEAD.pack(MAGIC, now, _digest(key, now, payload)) + payload


def written(entry: bytes) -> float:
    """When an entry was written, in seconds since the epoch. Raises CorruptEntryError if it has no head."""
    if len(entry) < _HEAD.size or not entry.startswith(MAGIC):
        raise CorruptEntryError("it is no entry of a cache, or cut short")
    return float(_HEAD.unpack_from(entry)[1])


def open_entry(key: str, entry: bytes) -> Any:
    """The value of an entry. Raises CorruptEntryError if it was damaged, or cannot be unpickled here."""
    now = written(entry)
    payload = memoryview(entry)[_HEAD.size :]
    if _HEAD.unpack_from(entry)[2] != _digest(key, now, payload):
        raise CorruptEntryError("it was damaged: its digest does not fit")
    try:
        return pickle.loads(payload)
    except Exception as error:
        raise CorruptEntryError(f"it cannot be unpickled here ({type(error).__name__}: {error})") from error


def _digest(key: str, now: float, payload: bytes | memoryview) -> bytes:
    made = hashlib.blake2b(key.encode() + struct.pack("!d", now), digest_size=32)
    made.update(payload)
    return made.digest()
