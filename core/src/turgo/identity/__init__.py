"""The identity of a call: what has to be the same for its value to be the same.

    task.fn ──code──> parts, by the names that people write  ─┐
    arguments ──digests──> by content; of a Path, its file's  ├──calls──> identity
    version=, files=  ─────────────────────────────────────── ┘

The cache keys on it. What is not looked at, as an installed library, gives an old value when it changes; so all is
looked at that lies beside the flow, and `version=` says the rest.
"""
