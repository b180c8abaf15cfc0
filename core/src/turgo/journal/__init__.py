"""The journal of runs: what finished is kept, so that a later run can take it over.

    engine ──values, identities──> JournalWriter ──a thread, in bunches──> journal.sqlite (facts), values.bin (values)
    --resume ──> Archive ──identity──> value;    turgo runs ──> RunRecords

Each run has a folder of its own in the user's state directory, which only the user can read (0700, its files 0600).
Values are pickles: who can write them can run code in whoever reads them, so another user's folder is refused.
"""
