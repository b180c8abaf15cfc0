"""A store: where entries of a cache or a journal are kept. It is handed bunches, so that a remote one is asked once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

KEY = re.compile(r"[0-9a-f]{40}")
"""What the name of an entry looks like. A store leaves alone whatever else lies beside its own."""


class Usage(NamedTuple):
    """How much a store holds: entries, and bytes."""

    entries: int
    size: int


class Store(Protocol):
    """Keeps bytes by key. Several processes may use it at once: an entry is there as a whole, or not at all.

    where: what it is, for messages. max_bytes: what it may hold, None if that is not limited here.
    Methods raise OSError if the store cannot be reached.
    """

    where: str
    max_bytes: int | None

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Those of the entries that are there."""

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep the entries, each in the place of an older one. Others may be dropped to make room."""

    def delete(self, keys: Iterable[str]) -> None:
        """Drop the entries, if they are there."""

    def usage(self) -> Usage:
        """How much it holds now."""

    def clear(self) -> int:
        """Drop all entries; how many they were."""


class OpenStore(Store, Protocol):
    """A store that other processes may write to as well."""

    def sizes(self, keys: Sequence[str]) -> dict[str, int]:
        """How many bytes those of the entries have that are there."""

    def remove(self) -> None:
        """Drop all entries, and the folder if nothing else lies in it."""

    def target(self, key: str) -> tuple[str, str]:
        """Where another process can write an entry: folder or URL, and its path below that."""
