"""The driver's own connections to workers, one to each: calls go out by it, and what they come to comes back.

All of it happens in the client's event loop. Where a worker cannot be reached from here, as behind a gateway, there is
no connection, and all goes by way of the scheduler. A connection that has broken is not opened again.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any

import distributed
from distributed.comm import connect
from distributed.core import send_recv

from turgo_dask.calls.wrappers import ByValue
from turgo_dask.slots import on_worker, outbox
from turgo_dask.slots.outbox import Outbox

logger = logging.getLogger("turgo_dask")

CONNECT_SECONDS = 5.0
"""How long a worker may take to answer."""

MOST_CONNECTIONS = 256
"""Of the driver, whose open files are limited, 1,024 as a rule."""

OPENING_CONNECTIONS = 16
"""How many connections are opened at a time."""

REFUSED_CONNECTIONS = 3
"""So many workers that do not answer, and none that does: no further one is tried."""


class Streams:
    """The connections that are open. topic: names the driver. received: takes each message, with the worker's address.

    lost: told of the address of a connection that has broken.
    """

    def __init__(
        self,
        client: distributed.Client,
        topic: str,
        received: Callable[[str, Mapping[str, Any]], None],
        lost: Callable[[str], None],
    ) -> None:
        self.client = client
        self.topic = topic
        self._received = received
        self._lost = lost
        self._open: dict[str, Outbox] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turn = asyncio.Semaphore(OPENING_CONNECTIONS)
        self._refused = 0

    def __contains__(self, address: str) -> bool:
        return address in self._open

    def __bool__(self) -> bool:
        return bool(self._open)

    def connect(self, addresses: Iterable[str]) -> None:
        """Connect to workers, unless it is done; it takes a moment, and is not waited for."""
        for address in addresses:
            hopeless = self._refused >= REFUSED_CONNECTIONS and not self._open
            if address in self._tasks or hopeless or len(self._tasks) >= MOST_CONNECTIONS:
                continue
            task = asyncio.get_running_loop().create_task(self._serve(address))
            self._tasks[address] = task
            task.add_done_callback(partial(self._over, address))

    def _over(self, address: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(address) is task:
            del self._tasks[address]

    def disconnect(self, address: str) -> None:
        """End the connection to a worker that is gone: its machine may not say so."""
        task = self._tasks.pop(address, None)
        if task is not None:
            task.cancel()

    def send(self, address: str, slot: str, key: str | None = None, call: bytes | None = None) -> bool:
        """Send a call to a slot, ask for it back if there are no bytes, or let the slot go if there is no key.

        Whether that is on its way.
        """
        stream = self._open.get(address)
        if stream is None:
            return False
        try:
            stream.send((slot, key, call))
        except OSError:
            return False
        return True

    def close(self) -> None:
        """End all connections. None of them is lost."""
        self._lost = lambda address: None
        for task in list(self._tasks.values()):
            task.cancel()

    async def _serve(self, address: str) -> None:
        try:
            comm = await self._opened(address)
        except Exception as error:  # noqa: BLE001  (whatever it is: calls go by the scheduler then)
            self._refused += 1
            logger.debug("no connection of our own to %s: %s", address, error)
            if self._refused == REFUSED_CONNECTIONS and not self._open:
                logger.info(
                    "workers cannot be reached from here, so all calls go by the scheduler: %s", error
                )
            return
        stream = Outbox(comm)
        self._open[address] = stream
        self._refused = 0
        try:
            while True:
                for message in await comm.read():
                    self._take(address, message)
        except (OSError, EOFError):
            pass
        finally:
            if self._open.get(address) is stream:
                del self._open[address]
            stream.abort()
            self._lost(address)

    def _take(self, address: str, message: Mapping[str, Any]) -> None:
        try:
            self._received(address, message)
        except Exception:
            logger.exception("what the worker %s told of %s is lost", address, message.get("key"))

    async def _opened(self, address: str) -> Any:
        """A connection whose other end listens to us."""
        async with self._turn:
            comm = await connect(address, timeout=CONNECT_SECONDS, **self.client.connection_args)
        handler = f"{self.topic}-slots"
        try:
            installs = {"function": _installing(), "args": pickle.dumps((self.topic, handler))}
            answer = await asyncio.wait_for(send_recv(comm, op="run", **installs), CONNECT_SECONDS)
            if answer["status"] != "OK":
                raise OSError(f"it installs nothing: {answer.get('text', answer['status'])}")
            await comm.write({"op": handler, "reply": False})
        except BaseException:
            comm.abort()
            raise
        return comm


@cache
def _installing() -> bytes:
    return pickle.dumps(ByValue(on_worker.install, outbox))
