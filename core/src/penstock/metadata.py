"""The entry points of what is installed, read once for as long as nothing is installed or removed.

Reading them costs some 2 ms, more than a small flow run takes; asking whether anything changed costs 20 µs.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from functools import lru_cache

State = tuple[tuple[str, int], ...]


def entry_points(*, group: str) -> tuple[importlib.metadata.EntryPoint, ...]:
    """The entry points of a group, as `importlib.metadata.entry_points` gives them now."""
    return _read(group, tuple((folder, _changed(folder or ".")) for folder in sys.path))


def _changed(folder: str) -> int:
    """When a folder of the search path last gained or lost an entry, in nanoseconds; 0 if it is not there."""
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=4)
def _read(group: str, state: State) -> tuple[importlib.metadata.EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group=group))
