"""The client of distributed, with two faults of it mended."""

from __future__ import annotations

from typing import Any

import distributed

_CLOSE_SECONDS = 2.0


class Client(distributed.Client):  # type: ignore[misc]  # distributed carries no types
    """What the executor talks to its scheduler by."""

    def start(self, **kwargs: Any) -> None:
        """Connect, or leave nothing behind: distributed would close it at exit, and wait ten seconds for that."""
        try:
            super().start(**kwargs)
        except BaseException:
            self.close(timeout=_CLOSE_SECONDS)
            raise

    def _handle_task_erred(self, key: Any = None, exception: Any = None, traceback: Any = None) -> None:
        """A call has failed; called in the client's event loop.

        Where a worker cannot pickle the traceback (a recursion that went too deep), it sends its text instead.
        Distributed stumbles over that, and the future would wait for ever.
        """
        try:
            super()._handle_task_erred(key, exception, traceback)
        except AssertionError:
            super()._handle_task_erred(key, exception, None)
