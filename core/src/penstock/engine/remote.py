"""Large values that stayed on the worker that made them, as the driver sees them.

A `Remote` stands where the value itself would stand: as the value of a node, or of an element of a mapped one. It holds
the future of what its batch kept, and lets go of it when nothing ahead needs the value; see `keeping` and `luggage`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from penstock.futures import Future, failure_of


class Keep:
    """What a submission left on its worker.

    site: the number of the site; slots: how many values; worker: its name. again: submits the call again and changes
    the future, if everything is there that it takes.
    """

    __slots__ = ("__weakref__", "again", "future", "site", "slots", "worker")

    def __init__(self, future: Future[Any], site: int) -> None:
        self.future, self.site = future, site
        self.slots = 0
        self.worker = ""
        self.again: Callable[[], None] | None = None

    def renew(self) -> None:
        """Make it again if it was lost for good: its executor has tried before."""
        if self.again is not None and self.future.done() and failure_of(self.future) is not None:
            self.again()


class Remote:
    """A value that is elsewhere.

    size: in bytes. width: how many elements a map over it has, None if that is not known. home: the value itself in a
    tuple, if it is here as well, as one that was sent to the workers to stay there.
    """

    __slots__ = ("home", "keep", "size", "slot", "width")

    def __init__(
        self, keep: Keep, slot: tuple[int, int], size: int, width: int | None, home: tuple[Any] | None = None
    ) -> None:
        self.keep, self.slot, self.size, self.width, self.home = keep, slot, size, width, home

    def __len__(self) -> int:
        if self.width is None:
            raise TypeError("nobody knows how many elements it has")
        return self.width

    def __getitem__(self, elements: slice) -> Cut:
        return Cut(self, elements.start, elements.stop)


class Cut(NamedTuple):
    """Elements `low` to `high` of a value that is elsewhere."""

    remote: Remote
    low: int
    high: int


def nowhere(remotes: Sequence[Remote]) -> None:
    """Bring nothing: where no site keeps values, nothing is elsewhere."""


def bring_home(values: list[Any], nodes: Iterable[int], bring: Callable[[Sequence[Remote]], None]) -> None:
    """Replace what is elsewhere in the values of some nodes by what `bring` brings here, all of it at once."""
    chosen = list(nodes)
    bring([each for node in chosen for each in _parts(values[node]) if type(each) is Remote])
    for node in chosen:
        value = values[node]
        values[node] = [_here(each) for each in value] if type(value) is list else _here(value)


def _parts(value: Any) -> Iterable[Any]:
    return value if type(value) is list else (value,)


def _here(value: Any) -> Any:
    return value.home[0] if type(value) is Remote and value.home else value


def worker_of(value: Any) -> str | None:
    """The name of the worker that a value lies on; None if it is here, or nobody knows."""
    return value.keep.worker or None if type(value) is Remote else None
