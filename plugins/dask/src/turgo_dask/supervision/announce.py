"""Reports the begin and end of a call to the driver. Only calls that may be killed are reported.

    worker, in the thread of the call ── one datagram each, on loopback ──> HardTimeouts

The datagram is sent before anything of the call runs, so the driver knows of the call even if that never lets another
thread of its worker run again. This module is all that a worker needs of this package, and only the workers of a
temporary cluster on the driver's own machine do.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any, NamedTuple


class Receiver(NamedTuple):
    """Where the driver receives the datagrams. secret: what only its own workers know."""

    port: int
    secret: str


def announced(receiver: Receiver, seconds: float, key: str, fn: Callable[..., Any], /, *args: Any) -> Any:
    """Call `fn(*args)`, and report its begin and its end. seconds: how long it may take."""
    import distributed  # late: it is there, since this runs on one of its workers

    address = distributed.get_worker().address
    send(receiver, {"key": key, "seconds": seconds, "pid": os.getpid(), "worker": address})
    try:
        return fn(*args)
    finally:
        send(receiver, {"key": key, "over": True})


def send(receiver: Receiver, message: dict[str, Any]) -> None:
    """Send a message; that nobody receives it any more is no error."""
    with suppress(OSError), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.sendto(
            json.dumps({"secret": receiver.secret, **message}).encode(), ("127.0.0.1", receiver.port)
        )
