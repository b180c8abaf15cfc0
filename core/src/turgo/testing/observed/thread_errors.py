"""Keeps the exceptions that end threads of an executor. They are shown with the check that ran."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def thread_errors() -> Iterator[list[str]]:
    """A list that each exception which ends a thread is added to, as one line; the hook in force is called too."""
    found: list[str] = []
    before = threading.excepthook

    def keep(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread is not None else "a thread that has gone"
        found.append(f"in the thread {name!r}: {args.exc_type.__name__}: {args.exc_value}")
        before(args)

    threading.excepthook = keep
    try:
        yield found
    finally:
        threading.excepthook = before
