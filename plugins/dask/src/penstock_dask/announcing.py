"""What a worker says of a call that may be killed: that it begins, and that it is over.

One datagram each, on the loopback interface, sent in the thread of the call itself before anything of it runs. So the
driver knows of it even if the call never lets the worker's other threads run again. This module is all that a
worker needs of this package, and only a worker of a cluster of the driver's own machine ever does.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, NamedTuple


class Ear(NamedTuple):
    """Where the driver listens. secret: what only its own workers know."""

    port: int
    secret: str


def announced(ear: Ear, seconds: float, key: str, fn: Callable[..., Any], /, *args: Any) -> Any:
    """Call `fn(*args)`, and tell when it begins and when it is over; it may take `seconds`."""
    import distributed  # late: it is there, since this runs on one of its workers

    address = distributed.get_worker().address
    tell(ear, {"key": key, "seconds": seconds, "pid": os.getpid(), "worker": address})
    try:
        return fn(*args)
    finally:
        tell(ear, {"key": key, "over": True})


def tell(ear: Ear, message: dict[str, Any]) -> None:
    """Send it; that nobody listens any more is no error."""
    with suppress(OSError), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.sendto(json.dumps({"secret": ear.secret, **message}).encode(), ("127.0.0.1", ear.port))
