"""Opens the store that a setting names: a folder, or a URL."""

from __future__ import annotations

from pathlib import Path

from turgo.errors import StoreError
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
    if not found:
        try:
            folder = Path(where).expanduser()
        except RuntimeError as error:  # ~nobody is no user
            raise StoreError(f"{where} cannot be made: {error}") from None
        return folder if folder.is_absolute() else (beside or Path.cwd()) / folder
    if scheme.lower() in ("file", "local"):
        from urllib.parse import unquote, urlsplit  # late: few stores are named by a URL

        return Path(unquote(urlsplit(where).path))
    return None
