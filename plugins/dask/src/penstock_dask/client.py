"""The client of distributed, with two faults of it mended, and one warning that is not for those who use us."""

from __future__ import annotations

import warnings
from types import FunctionType
from typing import Any

import distributed

_CLOSE_SECONDS = 2.0


class _Warnings:
    """The module `warnings`, as distributed sees it while it sends our calls.

    Where a large constant is in one, the warning of a "large graph" recommends what is not in the hands of who writes a
    flow, and what was done already: it is sent once. Dask's configuration, and the filters of Python, could
    only silence it for all clients of this process.
    """

    @staticmethod
    def warn(message: Any, *args: Any, **kwargs: Any) -> None:
        """Pass on any other one."""
        if not str(message).startswith("Sending large graph"):
            warnings.warn(message, *args, **{"stacklevel": 2, **kwargs})


_sending = distributed.Client._graph_to_futures
_sending_quietly = FunctionType(
    _sending.__code__,
    {**_sending.__globals__, "warnings": _Warnings},
    _sending.__name__,
    _sending.__defaults__,
    _sending.__closure__,
)
_sending_quietly.__kwdefaults__ = _sending.__kwdefaults__


class Client(distributed.Client):  # type: ignore[misc]  # distributed carries no types
    """What the executor talks to its scheduler by."""

    _graph_to_futures = _sending_quietly

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
