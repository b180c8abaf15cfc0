"""Opens the store that the configuration names: `[cache] url`, `max_bytes` and `trust`."""

from __future__ import annotations

import logging

from turgo.config.load import Config, load_config
from turgo.config.places import state_folder
from turgo.errors import CacheError, StoreError
from turgo.stores.places import open_place
from turgo.stores.store import Store

logger = logging.getLogger("turgo")

TRUST = "[cache] trust = true"
"""What a user says who trusts all that can write to the URL of the cache."""


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
        most = config.cache_max_bytes.value
        store = open_place(where, url.origin.folder, what="the cache folder", max_bytes=most)
    except StoreError as error:
        said = f"a cache at {error}" if str(error).startswith((where, repr(where))) else str(error)
        raise CacheError(f"{said} (from {url.origin})") from None
    except OSError as error:
        reason = error.strerror or error
        raise CacheError(f"the cache folder {where} cannot be made: {reason} (from {url.origin})") from error
    return store if store.max_bytes is not None else _signed(store, config)


def _signed(store: Store, config: Config) -> Store:
    """A store that others may write to gives back what this user has signed, or all if the user says so."""
    from turgo.stores.signatures import SignedStore, own_key  # late: most caches are folders

    try:
        key = None if config.cache_trust.value else own_key(state_folder())
    except (StoreError, OSError) as error:
        raise CacheError(
            f"values at {store.where} cannot be signed: {error}. If you trust all who can write there: {TRUST}"
        ) from error
    return SignedStore(store, key, trust=TRUST)
