"""The cache of values: what a task with a `cache_key` brought in one run, kept for the next.

    task, arguments ──keys──> key ──> Store.get ──> entry ──entries──> value
                                      Store.put <── entry <──entries── value
    configuration ──opening──> FileStore (a folder) | UrlStore (whatever fsspec opens)

It belongs to the driver: the engine asks before a call is sent and writes after it succeeded, so no executor knows of
it. Entries are pickles. So whoever can write to a store can run code in the processes that read it; a folder that
others may write to is refused.
"""
