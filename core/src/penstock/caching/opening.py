"""Which store it is: `[cache] url` and `max_bytes` of the configuration."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import unquote, urlsplit

from penstock.caching.files import FileStore
from penstock.caching.store import Store
from penstock.caching.urls import UrlStore
from penstock.config import Config, load_config
from penstock.errors import CacheError
from penstock.flows.graph import Graph

logger = logging.getLogger("penstock")


def store_for(graph: Graph, config: Config | None = None) -> Store | None:
    """The store that the configuration names, if any task of the graph has a `cache_key`; see `open_store`.

    config: read if not given.
    None, with a warning in the log, if it is the default folder and cannot be made, as where there is no home.
    """
    if all(task.policy.cache_key is None for task in {node.task for node in graph.nodes}):
        return None
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
            return UrlStore(where)
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
        return (beside or Path.cwd()) / Path(where).expanduser()
    if scheme.lower() in ("file", "local"):
        return Path(unquote(urlsplit(where).path))
    return None
