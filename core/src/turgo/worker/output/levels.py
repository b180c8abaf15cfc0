"""Gives a worker's loggers the levels of the driver's. This holds while a batch runs.

A worker process has levels of its own, so that what the driver would show is not even made there. Where several batches
run at once, the lowest level that one of them asks for holds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from turgo.worker.once import OfThisProcess


def local_levels() -> dict[str, int]:
    """The levels that were set in this process, by the names of loggers; that of the root is called `root`."""
    loggers = list(logging.root.manager.loggerDict.items())
    set_ones = {name: each.level for name, each in loggers if isinstance(each, logging.Logger) and each.level}
    return {"root": logging.root.level, **set_ones}


@contextmanager
def driver_levels(levels: Mapping[str, int]) -> Iterator[None]:
    """Inside, each logger has the level that it has on the driver."""
    lent = _lent_levels()
    if not lent.lend(levels):
        yield
        return
    try:
        yield
    finally:
        lent.give_back(levels)


def made_anyway(logger: logging.Logger, level: int) -> bool:
    """Whether the logger lets such a line through by the levels that this process has of itself."""
    before = _lent_levels().before
    here: logging.Logger | None = logger if before else None
    while here is not None:
        if own := before.get(here.name, here.level):
            return level >= own
        here = here.parent
    return True


def _logger(name: str) -> logging.Logger:
    return logging.root if name == "root" else logging.getLogger(name)


class _LentLevels:
    """wanted: for each logger the levels that are wanted for it now; before: which one it had before."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted: dict[str, list[int]] = {}
        self.before: dict[str, int] = {}

    def lend(self, levels: Mapping[str, int]) -> bool:
        """Set the levels; False, and nothing done, where they are set and nobody else has lent others."""
        with self.lock:
            if not self.wanted and all(_logger(name).level == level for name, level in levels.items()):
                return False
            for name, level in levels.items():
                self.before.setdefault(name, _logger(name).level)
                wanted = self.wanted.setdefault(name, [])
                wanted.append(level)
                _logger(name).setLevel(min(wanted))
        return True

    def give_back(self, levels: Mapping[str, int]) -> None:
        """Set what is wanted now, or the levels that were there before."""
        with self.lock:
            for name, level in levels.items():
                wanted = self.wanted[name]
                wanted.remove(level)
                _logger(name).setLevel(min(wanted) if wanted else self.before.pop(name))
                if not wanted:
                    del self.wanted[name]


@OfThisProcess
def _lent_levels() -> _LentLevels:
    """Loggers are the process's, so there is one of it for each process."""
    return _LentLevels()
