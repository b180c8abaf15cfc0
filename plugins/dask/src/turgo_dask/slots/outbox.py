"""Messages on their way by one connection of distributed's: those that wait for the same turn travel together.

    send, the event loop of the connection ──> waiting ──next turn──> one list ──> the other end

Distributed's own `BatchedSend` does that, too, and holds messages back for an interval, for which it takes four more
turns of the event loop for each list, and a timer. It is shipped by value to workers: it uses distributed alone.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from distributed.comm import CommClosedError

logger = logging.getLogger("turgo_dask")


class Outbox:
    """What is sent by one connection. Where that has broken, so does `send`, and what waited is lost."""

    def __init__(self, comm: Any) -> None:
        self.comm = comm
        self._waiting: list[Any] = []
        self._writing: asyncio.Task[None] | None = None

    def send(self, message: Any) -> None:
        """Have a message sent. Raises CommClosedError, which is an OSError, if the connection has ended."""
        if self.comm.closed():
            raise CommClosedError(f"{self.comm!r} is closed")
        self._waiting.append(message)
        if self._writing is None or self._writing.done():  # done: an eager task is as soon as it is made
            self._writing = asyncio.get_running_loop().create_task(self._write())

    def abort(self) -> None:
        """End the connection; what waits is lost."""
        self._waiting.clear()
        self.comm.abort()

    async def _write(self) -> None:
        try:
            while self._waiting:
                messages, self._waiting = self._waiting, []
                await self.comm.write(messages, on_error="raise")
        except OSError:
            self.abort()
        except asyncio.CancelledError:
            self.abort()  # else the other end would wait for what is lost
            raise
        except Exception:
            logger.exception("a message cannot be sent to %s", self.comm.peer_address)
            self.abort()  # nobody knows what of it has left
