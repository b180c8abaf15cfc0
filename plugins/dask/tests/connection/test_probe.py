"""What is at an address: a dashboard, nothing, another protocol, something else."""

from __future__ import annotations

import socket
from collections.abc import Callable

import distributed


def test_the_port_of_the_dashboard_is_told_apart(
    start_error: Callable[..., str], theirs: distributed.LocalCluster
) -> None:
    """At once, and with the address of the scheduler behind it."""
    port = theirs.scheduler.http_server.port
    told = start_error(address=f"tcp://127.0.0.1:{port}", start_timeout=60)
    assert "port of a dashboard" in told
    assert theirs.scheduler_address in told


def test_a_port_that_nothing_listens_on_is_told_so(start_error: Callable[..., str]) -> None:
    """With the seconds that it was tried for, and the option that says so."""
    told = start_error(address="tcp://127.0.0.1:9", start_timeout=0.5)
    assert "nothing listens on port 9 of 127.0.0.1" in told
    assert "start_timeout" in told


def test_an_address_that_expects_no_tls_is_told_so(
    start_error: Callable[..., str], theirs: distributed.LocalCluster
) -> None:
    """The error shows the address as it should be written."""
    address = theirs.scheduler_address.replace("tcp://", "tls://")
    assert f"write {theirs.scheduler_address}" in start_error(address=address, start_timeout=60)


def test_something_else_at_the_address_is_told_so(start_error: Callable[..., str]) -> None:
    """A listener that says nothing is no scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = start_error(address=f"tcp://127.0.0.1:{port}", start_timeout=0.5)
    assert "no scheduler" in told
