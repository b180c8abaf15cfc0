"""The client of distributed, with one fault of it mended."""

from __future__ import annotations

from typing import Any

import distributed


class Client(distributed.Client):  # type: ignore[misc]  # distributed carries no types
    """What the executor talks to its scheduler by."""

    def _handle_task_erred(self, key: Any = None, exception: Any = None, traceback: Any = None) -> None:
        """A call has failed; called in the client's event loop.

        Where a worker cannot pickle the traceback (a recursion that went too deep), it sends its text instead.
        Distributed stumbles over that, and the future would wait for ever.
        """
        try:
            super()._handle_task_erred(key, exception, traceback)
        except AssertionError:
            super()._handle_task_erred(key, exception, None)
