"""Copies of large values, written by the workers that hold them to a store that the driver reaches too.

    content of a copy: number of parts (8) │ size of each part (8 each) │ pickle │ buffers of arrays

Shipped as the text of this file, and only by runs that keep such values; so it needs the standard library alone, and
fsspec where the store is behind a URL.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator, Sequence
from typing import Any

COPY_DIGEST_BYTES = 32

REPORT_SLOT = "report"
"""As in `stored_values`."""


def facts_with_digests(stored: Any) -> Any:
    """The report of a batch, and what is known of each large value: with the digest of its copy as the last."""
    if type(stored) is not dict:
        return (stored, ())
    packed, rows = stored[REPORT_SLOT]
    return packed, [(*row, digest_of(stored[row[0]])) for row in rows]


def write_copies(stored: Any, wanted: Sequence[tuple[Any, str, str]]) -> list[tuple[int, bytes] | str]:
    """Write values to a store. wanted: for each its slot, the folder or URL, and its path below that.

    Returns size and digest of each copy, or why there is none.
    """
    found: list[tuple[int, bytes] | str] = []
    for slot, where, within in wanted:
        try:
            payload = stored[slot]
            if "://" in where:
                _write_behind(where, within, payload)
            else:
                _write_file(os.path.join(where, within), payload)
            size = sum(memoryview(part).nbytes for part in _content(payload))
            found.append((size, digest_of(payload)))
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
    return found


def digest_of(payload: Any) -> bytes:
    """The digest of a copy."""
    made = hashlib.blake2b(digest_size=COPY_DIGEST_BYTES)
    for part in _content(payload):
        made.update(part)
    return made.digest()


def parts_of(content: bytes) -> list[bytearray]:
    """The pickle and the buffers of a copy. Raises ValueError if it is none."""
    if len(content) < 8:
        raise ValueError("it is cut short")
    (count,) = struct.unpack_from("!Q", content)
    at = 8 * (count + 1)
    if at > len(content):
        raise ValueError("it is cut short")
    parts, view = [], memoryview(content)
    for size in struct.unpack_from(f"!{count}Q", content, 8):
        parts.append(bytearray(view[at : at + size]))
        at += size
    return parts


def _content(payload: Any) -> Iterator[Any]:
    """The content of a copy, in parts that lie where they are in memory."""
    parts = [memoryview(part).cast("B") for part in (payload.blob, *payload.buffers)]
    yield struct.pack(f"!{len(parts) + 1}Q", len(parts), *(part.nbytes for part in parts))
    yield from parts


def _write_file(path: str, payload: Any) -> None:
    """Put a file in place as a whole, which only its owner can read."""
    aside = f"{path}.new-{os.getpid()}-{os.urandom(4).hex()}"
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.writelines(_content(payload))
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def _write_behind(url: str, within: str, payload: Any) -> None:
    from fsspec.core import url_to_fs  # here, as workers of folders need not have it

    system, root = url_to_fs(url)
    path = f"{str(root).rstrip('/')}/{within}"
    try:
        _write_to(system, path, payload)
    except FileNotFoundError:  # a filesystem with true folders
        system.makedirs(str(root), exist_ok=True)
        _write_to(system, path, payload)


def _write_to(system: Any, path: str, payload: Any) -> None:
    with system.open(path, "wb") as file:
        for part in _content(payload):
            file.write(part)
