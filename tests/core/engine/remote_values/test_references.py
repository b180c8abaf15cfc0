"""The remote values that a batch reads: found, replaced by None, and put where they belong."""

from array import array
from types import SimpleNamespace

from turgo.engine.remote_values.references import (
    RemoteRead,
    fetch_reads,
    insert_local,
    remote_reads,
    with_remotes,
)
from turgo.engine.schedule.remote import RemoteSlice, RemoteValue, StoredBatch
from turgo.futures import call_now
from turgo.worker.outcomes import CallOutcome, MapOutcome
from turgo.worker.values.stored_values import LargeValue, Read

STORED = StoredBatch(call_now(dict), 0)


def remote(name, home=None):
    """A value that is elsewhere."""
    return RemoteValue(STORED, (0, None), 10**6, 4, home and (home,))


def shipment_of(columns=None, reads=(), source=(), given=None):
    """A batch of one piece, as far as its remote values go; nodes 0 and 1 may be remote."""
    step = SimpleNamespace(reads=reads, upstream=(0, 1))
    pieces = [SimpleNamespace(step=step, columns=columns)]
    return SimpleNamespace(pieces=pieces, remote={0, 1}, source=source, given=given or {})


def test_the_value_of_a_node_is_read_once():
    """It is replaced by None in what is shipped, and stays where the schedule has it."""
    value = remote("x")
    shipment = shipment_of(reads=(0, 0), source=[value])
    assert list(remote_reads(shipment)) == [RemoteRead(value, None, 0)]
    assert shipment.given == {0: None} and shipment.source == [value]


def test_elements_of_a_node_and_of_a_column_are_read_one_by_one():
    """Those that are here stay as they are."""
    value = remote("x")
    shipment = shipment_of(columns=[[1, value]], reads=(1,), source=[None, ["a", "b"]], given={1: [value, 2]})
    assert list(remote_reads(shipment)) == [RemoteRead(value, 0, 0, 1), RemoteRead(value, None, 1, 0)]
    assert shipment.pieces[0].columns == [[1, None]] and shipment.given == {1: [None, 2]}


def test_a_part_of_a_value_is_read_as_a_column():
    """The worker cuts it."""
    value = remote("x")
    shipment = shipment_of(columns=[RemoteSlice(value, 1, 3), None])
    (read,) = remote_reads(shipment)
    assert read == RemoteRead(value, 0, 0, None, 1, 3) and shipment.pieces[0].columns == [None, None]
    assert read.numbered(4) == Read(4, (0, None), 0, 0, None, 1, 3)


def test_values_that_are_here_by_now_are_put_where_they_are_read():
    """Whole, or the part that is read."""
    shipment = shipment_of(columns=[None], given={})
    insert_local(shipment, RemoteRead(remote("x", "abcd"), None, 3))
    insert_local(shipment, RemoteRead(remote("x", [1, 2, 3, 4]), 0, 0, None, 1, 3))
    assert shipment.given == {3: "abcd"} and shipment.pieces[0].columns == [[2, 3]]


def test_all_that_a_batch_reads_is_fetched_at_once():
    """But for what is here as well."""
    there, here = remote("x"), remote("y", "home")
    asked = []

    def fetch(remotes):
        asked.append(list(remotes))
        for each in remotes:
            each.home = ("fetched",)

    shipment = shipment_of(reads=(0, 1), source=[there, here])
    fetch_reads(shipment, fetch)
    assert asked == [[there]] and shipment.given == {0: "fetched", 1: "home"}


def test_outcomes_hold_references_to_what_stayed():
    """In the place of each large value."""
    outcomes = [
        CallOutcome(None, None, 0.0, 1.0),
        MapOutcome([1, None], {}, 0.0, array("d", [1.0, 2.0])),
        None,
    ]
    large = [LargeValue((0, None), 100, 2), LargeValue((1, 1), 200, None)]
    call, mapped, nothing = with_remotes(outcomes, large, STORED)
    assert type(call.value) is RemoteValue and len(call.value) == 2
    assert mapped.values[0] == 1 and mapped.values[1].size == 200 and nothing is None
