"""The cache keeps what tasks with a `cache_key` returned, for later runs.

    task, arguments ──keys──> key ──> Store.get ──> entry ──entries──> value
                                      Store.put <── entry <──entries── value
    configuration ──configured──> a store: see `turgo.stores`

It belongs to the driver: the engine asks before a call is sent and writes after it succeeded, so no executor knows of
it. Whether an entry is too old is decided there (`engine.kept.cache`). Entries are pickles. So a folder that
others may write to is refused, and behind a URL only what this user has signed counts.
"""
