"""Values that stayed on workers, as the driver sees them."""

from concurrent.futures import Future

import pytest

from turgo.engine.schedule.remote import RemoteSlice, RemoteValue, StoredBatch, fetch_values, worker_of
from turgo.errors import WorkerLostError


def stored(error=None):
    future = Future()
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
    return StoredBatch(future, 0)


def test_a_batch_is_submitted_again_only_if_what_it_stored_is_lost_for_good():
    """Its executor has tried before; one that is there, or that cannot be made again, is left alone."""
    renewed = []
    for error in (None, OSError("lost")):
        batch = stored(error)
        batch.renew()
        batch.again = lambda error=error: renewed.append(error)
        batch.renew()
    assert [type(error) for error in renewed] == [OSError]


def test_a_value_that_ends_the_workers_that_make_it_is_not_made_for_ever():
    """Two of them, for sure; those that others may have ended do not count."""
    batch = stored(WorkerLostError("perhaps", sure=False))
    batch.again = lambda: None
    for _ in range(10):
        batch.renew()
    batch.future = stored(WorkerLostError("for sure")).future
    batch.renew()
    with pytest.raises(WorkerLostError, match="making it again ends its worker: for sure"):
        batch.renew()


def test_a_slice_of_a_remote_value_is_no_value_but_says_which():
    """A map over it sends the bounds; its length is known if its worker reported it."""
    value = RemoteValue(stored(), (0, 0), 100, 5)
    assert len(value) == 5 and value[1:3] == RemoteSlice(value, 1, 3)
    with pytest.raises(TypeError, match="how many elements"):
        len(RemoteValue(stored(), (0, 0), 100, None))


def test_all_remote_values_of_some_nodes_are_fetched_at_once():
    """Those of whole nodes and of elements alike; other values and other nodes stay as they are."""
    single, element = (RemoteValue(stored(), (0, at), 100, None) for at in range(2))
    asked = []

    def fetch(remotes):
        asked.append(list(remotes))
        for remote in remotes:
            remote.home = (f"value {remote.slot[1]}",)

    values = [single, [element, 7], "here", single]
    fetch_values(values, [0, 1, 2], fetch)
    assert asked == [[single, element]]
    assert values == ["value 0", ["value 1", 7], "here", single]


def test_the_worker_of_a_value_is_known_if_its_batch_reported_it():
    """Nothing is known of a value that is here."""
    value = RemoteValue(stored(), (0, 0), 100, None)
    assert worker_of(value) is None and worker_of("here") is None
    value.stored.worker = "node-7"
    assert worker_of(value) == "node-7"
