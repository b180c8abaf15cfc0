"""Processes that are started find no module that their parent does not find.

A child of "spawn" is `python -c`, which looks into the current folder first until its parent has told it where to look:
a `logging.py` that somebody put there would run in each. `python -P` does not look there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import util
from typing import Any

SAFE_PATH = "-P"

_modules: Any = util
_lock = threading.Lock()
_users = 0
_flags_before: Callable[[], list[str]] | None = None


@contextmanager
def safe_path() -> Iterator[None]:
    """Inside, whatever process multiprocessing starts from this one has the option `-P`. In any thread, nested too."""
    _begin()
    try:
        yield
    finally:
        _end()


def _begin() -> None:
    global _users, _flags_before
    with _lock:
        if not _users and hasattr(_modules, "_args_from_interpreter_flags"):
            _flags_before = _modules._args_from_interpreter_flags
            _modules._args_from_interpreter_flags = _flags
        _users += 1


def _end() -> None:
    global _users, _flags_before
    with _lock:
        _users -= 1
        if not _users and _flags_before is not None:
            if _modules._args_from_interpreter_flags is _flags:  # else somebody else has put theirs there
                _modules._args_from_interpreter_flags = _flags_before
            _flags_before = None


def _flags() -> list[str]:
    given = _flags_before() if _flags_before is not None else []
    return given if SAFE_PATH in given else [*given, SAFE_PATH]
