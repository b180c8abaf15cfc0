"""Objects of which a process has one, as what they stand for is the process's: its loggers, its standard output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OfThisProcess(Generic[T]):
    """Gives the one object, whichever threads ask for it first; `lru_cache` may give each of those its own.

    make: makes it, and does nothing else, as several threads may call it; all get what one of them has made.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[str, T] = {}

    def __call__(self) -> T:
        made = self._made
        return made["it"] if made else made.setdefault("it", self._make())

    def forget(self) -> None:
        """The next who asks gets a new one."""
        self._made.clear()
