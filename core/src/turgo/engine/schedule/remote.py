"""Large values that stayed on their worker, as the driver sees them.

A `RemoteValue` stands where the value itself would stand: as the value of a node, or of an element of a mapped one.
It holds the future of what its batch stored, and drops it when nothing ahead needs the value; see `RemoteStore`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from turgo.errors import WorkerLostError
from turgo.futures import Future, failure_of

LEAST_DEATHS = 2
"""How many workers a value may cost that is made again, or as many as `crash_retries` allow."""


class StoredBatch:
    """What a submission left on its worker.

    site: the number of the site; slots: how many values; worker: its name. again: submits the call again and changes
    the future, if everything is there that it takes. deaths: how many workers were lost for sure as they made it again;
    most: how many may be.
    """

    __slots__ = ("__weakref__", "again", "deaths", "future", "most", "site", "slots", "worker")

    def __init__(self, future: Future[Any], site: int) -> None:
        self.future, self.site = future, site
        self.slots = 0
        self.worker = ""
        self.again: Callable[[], None] | None = None
        self.deaths = 0
        self.most = LEAST_DEATHS

    def renew(self) -> None:
        """Make it again if it was lost for good: its executor has tried before.

        Raises WorkerLostError if that would cost one worker more than it may.
        """
        error = failure_of(self.future) if self.again is not None and self.future.done() else None
        if self.again is None or error is None:
            return
        self.deaths += isinstance(error, WorkerLostError) and error.sure
        if self.deaths >= self.most:
            raise WorkerLostError(f"a value is lost, and making it again ends its worker: {error}") from error
        self.again()


class RemoteValue:
    """A value that is elsewhere.

    size: in bytes. width: how many elements a map over it has, None if that is not known. home: the value itself in a
    tuple, if it is here as well, as one that was sent to the workers to stay there. digest: of its copy, where values
    are copied; else empty.
    """

    __slots__ = ("digest", "home", "size", "slot", "stored", "width")

    def __init__(
        self,
        stored: StoredBatch,
        slot: tuple[int, int | None],
        size: int,
        width: int | None,
        home: tuple[Any] | None = None,
        digest: bytes = b"",
    ) -> None:
        self.stored = stored
        self.slot = slot
        self.size = size
        self.width = width
        self.home = home
        self.digest = digest

    def __len__(self) -> int:
        if self.width is None:
            raise TypeError("nobody knows how many elements it has")
        return self.width

    def __getitem__(self, elements: slice) -> RemoteSlice:
        return RemoteSlice(self, elements.start, elements.stop)


class RemoteSlice(NamedTuple):
    """Elements `low` to `high` of a value that is elsewhere."""

    remote: RemoteValue
    low: int
    high: int


def fetch_nothing(remotes: Sequence[RemoteValue]) -> None:
    """Fetch nothing: where no site keeps values, no value is remote."""


def fetch_values(
    values: list[Any], nodes: Iterable[int], fetch: Callable[[Sequence[RemoteValue]], None]
) -> None:
    """Replace remote values of some nodes by the values themselves, which `fetch` copies here all at once."""
    chosen = list(nodes)
    fetch([each for node in chosen for each in _parts(values[node]) if type(each) is RemoteValue])
    for node in chosen:
        value = values[node]
        values[node] = [_here(each) for each in value] if type(value) is list else _here(value)


def _parts(value: Any) -> Iterable[Any]:
    return value if type(value) is list else (value,)


def _here(value: Any) -> Any:
    return value.home[0] if type(value) is RemoteValue and value.home else value


def worker_of(value: Any) -> str | None:
    """The name of the worker that a value lies on; None if it is here, or nobody knows."""
    return value.stored.worker or None if type(value) is RemoteValue else None
