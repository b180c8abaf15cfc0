"""What a scheduler, its workers, or anybody who reaches their ports may send: passed over, and no thread ends of it."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed.client import FutureState

from turgo.registry.source_files import load_source
from turgo_dask.calls.deaths import Deaths
from turgo_dask.connection.probe import probe
from turgo_dask.connection.reports import Reports
from turgo_dask.session.supervise import note
from turgo_dask.supervision.comings import Comings
from turgo_dask.supervision.hard_timeouts import HardTimeouts

inputs = load_source(Path(__file__).with_name("inputs.py"))
fuzzed = inputs.fuzzed

EVENTS = (
    {"action": "add-worker", "worker": "tcp://10.0.0.1:1"},
    {
        "action": "remove-worker",
        "worker": "tcp://10.0.0.1:1",
        "processing-tasks": {"step-1": 0.5},
        "expected": False,
    },
    {"action": "remove-worker", "worker": "tcp://10.0.0.1:1", "processing-tasks": ["step-1"]},
)


@fuzzed(inputs.with_a_part_replaced(EVENTS))
def test_an_event_of_the_scheduler_that_is_none(event: Any) -> None:
    """It tells of no worker."""
    told: list[str] = []
    deaths, comings = Deaths(), Comings(lambda kind, message, **_: told.append(message))
    comings.start(["tcp://10.0.0.1:1"])
    addresses: list[str] = []
    held = SimpleNamespace(connect=addresses.append, disconnect=addresses.append)
    session = SimpleNamespace(deaths=deaths, watch=SimpleNamespace(comings=comings), held=held)
    note(session, (1.5, event))  # type: ignore[arg-type]
    for name in ("step-1", "step"):
        assert isinstance(deaths.alone(name, "tcp://10.0.0.1:1"), bool)
    assert all(isinstance(each, str) for each in deaths.calls_of("tcp://10.0.0.1:1"))
    assert len(told) <= 1 and all(isinstance(each, str) for each in addresses)


KEY = "step-1"


@fuzzed(inputs.with_a_part_replaced([(1.5, (KEY, b"a report")), (1.5, [KEY, b"a report"])]))
def test_a_report_that_comes_by_itself_and_is_none(event: Any) -> None:
    """The value is fetched from its worker then."""
    client = SimpleNamespace(futures={KEY: FutureState(KEY)})
    reports = Reports(client)
    reports._received(event)
    assert type(reports.take(KEY)) in (bytes, type(None))


@pytest.fixture(scope="module")
def hard_timeouts() -> Iterator[HardTimeouts]:
    """It listens, and notes for whom to kill it has looked; whoever it knows runs for ever."""
    looked: deque[bool] = deque(maxlen=10)

    def processes() -> set[int]:
        looked.append(True)
        return set()

    made = HardTimeouts(client=None, processes=processes, report=lambda *_: None, kill=lambda _: None)
    made.looked = looked  # type: ignore[attr-defined]
    yield made
    made._listener.close()


BEGIN = {"key": "a", "seconds": 1e6, "pid": 1, "worker": "tcp://127.0.0.1:1"}


@fuzzed(inputs.mutated([json.dumps(BEGIN).encode(), b'{"secret": "x"}', b"[1]"]))
def test_a_datagram_of_a_stranger(hard_timeouts: HardTimeouts, datagram: bytes) -> None:
    """Without the secret it says nothing."""
    assert hard_timeouts._authentic(datagram) is None


@fuzzed(inputs.with_a_part_replaced([BEGIN, {"key": "a", "over": True}]))
def test_a_datagram_of_our_own_that_says_something_else(hard_timeouts: HardTimeouts, message: Any) -> None:
    """It is passed over; those that are right are in order."""
    secret = {"secret": hard_timeouts.receiver.secret}
    known = {str(key): value for key, value in message.items()} if isinstance(message, dict) else {"key": 5}
    datagram = json.dumps({**known, **secret}, default=str, skipkeys=True).encode("utf-8", "surrogatepass")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram[:60_000], ("127.0.0.1", hard_timeouts.receiver.port))
    assert hard_timeouts._receive(30.0)
    ends = hard_timeouts._ends
    assert not ends or ends[0] == min(ends)
    assert not hard_timeouts.looked  # type: ignore[attr-defined]
    if len(ends) > 1000:
        ends.clear()


PIECES = (
    ":",
    "/",
    "//",
    "[",
    "]",
    "\0",
    "²",
    "٣",
    "99999",
    "-1",
    "localhost",
    "tls",
    "ucx",
    "é",
    " ",
    "9" * 5000,
)


@fuzzed(
    inputs.mutated_text(("tcp://127.0.0.1:1", "tls://[::1]:1", "127.0.0.1:1", "inproc://1/2/3"), PIECES),
    slow=True,
)
def test_an_address_that_is_none(address: str) -> None:
    """It is left to distributed, or said to be none."""
    if not address.isascii() or any(name in address for name in ("local", "::")) or not address.strip():
        address = f"tcp://127.0.0.1:{address}"  # no name is looked up in the network
    if "127.0.0.1:" not in address:
        return
    usable, why, _ = probe(address)
    assert usable or why
