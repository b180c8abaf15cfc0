"""Opens the store that the configuration names: `[cache] url` and `max_bytes`."""

from __future__ import annotations

import logging
from pathlib import Path

from turgo.caching.store import Store
from turgo.config.load import Config, load_config
from turgo.errors import CacheError

logger = logging.getLogger("turgo")


def store_for(config: Config | None = None) -> Store | None:
    """The store of a run that caches; see `open_store`.

    config: read if not given.
    None, with a warning in the log, if it is the default folder and cannot be made, as where there is no home.
    """
    config = config or load_config()
    try:
        return open_store(config)
    except CacheError as error:
        if config.cache_url.origin.kind != "default" or not isinstance(error.__cause__, OSError):
            raise
        logger.warning("%s; this run is not cached", error)
        return None


def open_store(config: Config) -> Store:
    """The store that the configuration names: a folder, or a URL. `file:///…` is a folder too.

    Raises CacheError, which says where the store was named, if it cannot be used; caused by an OSError if it is a
    folder that cannot be made.
    """
    url, where = config.cache_url, str(config.cache_url.value)
    try:
        folder = _folder(where, url.origin.folder)
        if folder is None:
            from turgo.caching.url_store import UrlStore  # late, as the other: a run has one of them or none

            return UrlStore(where)
        from turgo.caching.file_store import FileStore

        return FileStore(folder, max_bytes=config.cache_max_bytes.value)
    except CacheError as error:
        raise CacheError(f"{error} (from {url.origin})") from None
    except OSError as error:
        reason = error.strerror or error
        raise CacheError(f"the cache folder {where} cannot be made: {reason} (from {url.origin})") from error


def _folder(where: str, beside: Path | None) -> Path | None:
    """The folder that is meant, a relative one from the file that names it; None if it is another kind of store."""
    scheme, found, _ = where.partition("://")
    if not found:
        try:
            folder = Path(where).expanduser()
        except RuntimeError as error:  # ~nobody is no user
            raise CacheError(f"the cache folder {where} cannot be made: {error}") from None
        return folder if folder.is_absolute() else (beside or Path.cwd()) / folder
    if scheme.lower() in ("file", "local"):
        from urllib.parse import unquote, urlsplit  # late: few caches are named by a URL

        return Path(unquote(urlsplit(where).path))
    return None
