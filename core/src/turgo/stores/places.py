"""Opens the store that a setting names: a folder, or a URL."""

from __future__ import annotations

import os
from pathlib import Path

from turgo.errors import StoreError
from turgo.redaction import redacted_repr
from turgo.stores.store import OpenStore


def open_place(
    where: str, beside: Path | None = None, *, what: str = "the folder", max_bytes: int | None = None
) -> OpenStore:
    """The store at a folder, a relative one from `beside`, or at a URL. `file:///…` is a folder too.

    what: a folder is, for messages; max_bytes: what it may hold. Raises StoreError if it cannot be used, OSError for a
    folder that cannot be made.
    """
    folder = folder_of(where, beside)
    if folder is None:
        from turgo.stores.url_store import UrlStore  # late, as the other: a run has one of them or none

        return UrlStore(where)
    from turgo.stores.file_store import FileStore

    return FileStore(folder, max_bytes=max_bytes, what=what)


def folder_of(where: str, beside: Path | None) -> Path | None:
    """The folder that is meant, a relative one from `beside`; None if it is another kind of store."""
    scheme, found, _ = where.partition("://")
    try:
        if not found:
            folder = Path(where).expanduser()
            folder = folder if folder.is_absolute() else (beside or Path.cwd()) / folder
        elif scheme.lower() in ("file", "local"):
            from urllib.parse import unquote, urlsplit  # late: few stores are named by a URL

            folder = Path(unquote(urlsplit(where).path))
        else:
            return None
        if b"\0" in os.fsencode(folder):
            raise ValueError("no name holds a NUL")
    except (RuntimeError, ValueError) as error:  # ~nobody is no user; what can be no name of a folder
        raise StoreError(f"{redacted_repr(where)} cannot be made: {error}") from None
    return folder
