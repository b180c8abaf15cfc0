"""Stores keep bytes by key: those of the cache, and finished values of runs.

    where ──places──> FileStore (a folder) | UrlStore (whatever fsspec opens)
    SignedStore(UrlStore) ── own_key ──> gives back what this user has written, and nothing else

What they hold are pickles, which are code to whoever reads them: a folder that others may write to is refused, and what
lies behind a URL is checked before it is unpickled.
"""
