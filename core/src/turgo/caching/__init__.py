"""The cache keeps what tasks with a `cache_key` returned, for later runs.

    task, arguments ──keys──> key ──> Store.get ──> entry ──entries──> value
                                      Store.put <── entry <──entries── value
    configuration ──configured──> FileStore (a folder) | UrlStore (whatever fsspec opens)

It belongs to the driver: the engine asks before a call is sent and writes after it succeeded, so no executor knows of
it. Whether an entry is too old is decided there (`engine.kept.cache`). Entries are pickles. So whoever can write to a
store can run code in the processes that read it; a folder that others may write to is refused.
"""
