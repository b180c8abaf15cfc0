"""What is at an address: a dashboard, nothing, another protocol, something else."""

from __future__ import annotations

import socket
from collections.abc import Callable

import distributed
import pytest

from turgo_dask.connection.probe import probe


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


@pytest.mark.parametrize("address", ["tcp://host:²", "tcp://host:99999", "tcp://host:" + "9" * 5000])
def test_what_has_no_port_is_left_to_distributed(address: str) -> None:
    """It says what is wrong with it."""
    assert probe(address) == (True, "", False)


def test_a_host_that_can_be_none_is_told_so() -> None:
    """Its name is too long, or has letters that no name has."""
    usable, why, _ = probe(f"tcp://{'9' * 5000}:8786")
    assert not usable and "can be the name of no host" in why
