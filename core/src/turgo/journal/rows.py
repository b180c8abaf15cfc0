"""A row of a journal says of values whose they are, where they lie and what finds damage.

values of some calls ──pickled──> payload, somewhere; Row(task, identities, place, name, position, size, digest)
a value that a worker copied ───> head, pickle, buffers; the same, with the digest of that as `content`
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from typing import Any, NamedTuple

from turgo.errors import JournalError
from turgo.stores.store import KEY
from turgo.worker.values.copies import COPY_DIGEST_BYTES, parts_of

IDENTITY_BYTES = 20


class Kept(NamedTuple):
    """Values to be written: their pickle, and the identities of the calls that returned them, one after the other."""

    task: str
    identities: bytes
    payload: bytes


class Row(NamedTuple):
    """Where the values of some calls lie, and what finds damage.

    place: the number of the folder or URL, None for the file beside the database; name: of the entry there. content:
    the digest of what a worker wrote there, one value; None for values that the driver wrote.
    """

    task: str
    identities: bytes
    place: int | None
    name: str
    position: int
    size: int
    digest: bytes
    content: bytes | None = None

    @property
    def sound(self) -> bool:
        """Whether it is made of what a row is made of: somebody may have changed the database."""
        task, identities, place, *rest = [type(each).__name__ for each in self]
        if [task, identities, *rest[:4]] != ["str", "bytes", "str", "int", "int", "bytes"]:
            return False
        return self.place is None or (place == "int" and KEY.fullmatch(self.name) is not None)

    @property
    def width(self) -> int:
        """How many values it is about."""
        return len(self.identities) // IDENTITY_BYTES

    def values(self, payload: bytes) -> list[Any]:
        """The values. Raises JournalError if they were damaged, and whatever unpickling them raises."""
        content = content_digest(payload)
        if len(payload) != self.size or (self.content or content) != content:
            raise JournalError("it was damaged: its digest does not fit")
        if self.digest != row_digest(self.task, self.identities, content):
            raise JournalError("it was damaged: its digest does not fit")
        if self.content is not None:
            blob, *buffers = parts_of(payload)
            return [pickle.loads(blob, buffers=buffers)]
        values = pickle.loads(payload)
        return values if isinstance(values, list) and len(values) == self.width else []


def row_of(kept: Kept, place: int | None, name: str, position: int) -> Row:
    """The row of values that the driver has written."""
    digest = row_digest(kept.task, kept.identities, content_digest(kept.payload))
    return Row(kept.task, kept.identities, place, name, position, len(kept.payload), digest)


def content_digest(payload: bytes) -> bytes:
    """The digest of some bytes, as those who copy values make it."""
    return hashlib.blake2b(payload, digest_size=COPY_DIGEST_BYTES).digest()


def row_digest(task: str, identities: bytes, content: bytes) -> bytes:
    """What finds damage to a row, or to the values that it names."""
    whole = task.encode() + b"\0" + identities + b"\0" + content
    return hashlib.blake2b(whole, digest_size=COPY_DIGEST_BYTES).digest()


def pickled(values: Sequence[Any]) -> bytes | None:
    """The pickle of some values; None if one of them cannot be pickled."""
    try:
        return pickle.dumps(list(values), protocol=5)
    except Exception:  # noqa: BLE001  (cloudpickle can do more)
        import cloudpickle  # most values do not need it

        try:
            payload: bytes = cloudpickle.dumps(list(values), protocol=5)
        except Exception:  # noqa: BLE001  (user data, whose pickling may raise anything)
            return None
        return payload
