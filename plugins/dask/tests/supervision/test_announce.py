"""The begin and the end of a call are reported to the driver."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator

import distributed
import pytest

from turgo_dask.supervision.announce import Receiver, announced, send


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Receives datagrams on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        yield server


def test_a_call_reports_its_begin_and_its_end(
    listener: socket.socket, theirs: distributed.LocalCluster
) -> None:
    """Each message has the secret and the key; the first one says which process may be killed, and when."""
    receiver = Receiver(listener.getsockname()[1], "secret")
    with distributed.Client(theirs.scheduler_address, set_as_default=False) as client:
        assert client.submit(announced, receiver, 2.5, "key", divmod, 7, 3, pure=False).result() == (2, 1)
        begin, end = (json.loads(listener.recv(1 << 16)) for _ in range(2))
        (worker,) = theirs.workers.values()
        assert begin == {
            "secret": "secret",
            "key": "key",
            "seconds": 2.5,
            "pid": os.getpid(),
            "worker": worker.address,
        }
        assert end == {"secret": "secret", "key": "key", "over": True}


def test_a_call_that_fails_reports_its_end_too(
    listener: socket.socket, theirs: distributed.LocalCluster
) -> None:
    """The error is the call's own."""
    receiver = Receiver(listener.getsockname()[1], "secret")
    with distributed.Client(theirs.scheduler_address, set_as_default=False) as client:
        future = client.submit(announced, receiver, 2.5, "key", divmod, 7, 0, pure=False)
        assert isinstance(future.exception(), ZeroDivisionError)
        assert [json.loads(listener.recv(1 << 16)).get("over") for _ in range(2)] == [None, True]


def test_that_nobody_receives_is_no_error(listener: socket.socket) -> None:
    """A driver that has left does not fail the calls that still run."""
    port = listener.getsockname()[1]
    listener.close()
    send(Receiver(port, "secret"), {"key": "key"})
