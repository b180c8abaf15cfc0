"""Log levels: what a task logs on a worker is what it would log on the driver. Standard library only; see `work`.

A worker process has levels of its own, so that what the driver would hear is not even made there. Those of the driver
travel with a batch, and hold while it runs; where several run at once, the lowest that one of them brought.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache


def levels_here() -> dict[str, int]:
    """The levels that were set in this process, by the names of loggers; that of the root is called `root`."""
    loggers = list(logging.root.manager.loggerDict.items())
    set_ones = {name: each.level for name, each in loggers if isinstance(each, logging.Logger) and each.level}
    return {"root": logging.root.level, **set_ones}


@contextmanager
def levels_as_at_home(levels: Mapping[str, int]) -> Iterator[None]:
    """Inside, each logger has the level that it has on the driver."""
    other = {name: level for name, level in levels.items() if _logger(name).level != level}
    lent = _lent_levels()
    if not other and not lent.wanted:
        yield
        return
    lent.lend(levels)
    try:
        yield
    finally:
        lent.give_back(levels)


def _logger(name: str) -> logging.Logger:
    return logging.root if name == "root" else logging.getLogger(name)


class _LentLevels:
    """wanted: for each logger the levels that are wanted for it now; before: which one it had before."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.wanted: dict[str, list[int]] = {}
        self.before: dict[str, int] = {}

    def lend(self, levels: Mapping[str, int]) -> None:
        with self.lock:
            for name, level in levels.items():
                self.before.setdefault(name, _logger(name).level)
                wanted = self.wanted.setdefault(name, [])
                wanted.append(level)
                _logger(name).setLevel(min(wanted))

    def give_back(self, levels: Mapping[str, int]) -> None:
        with self.lock:
            for name, level in levels.items():
                wanted = self.wanted[name]
                wanted.remove(level)
                _logger(name).setLevel(min(wanted) if wanted else self.before.pop(name))
                if not wanted:
                    del self.wanted[name]


@lru_cache(maxsize=1)
def _lent_levels() -> _LentLevels:
    """Loggers are the process's, so there is one of it for each process."""
    return _LentLevels()
