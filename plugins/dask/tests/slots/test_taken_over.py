"""Calls that take over what is kept on a worker are bound to it until the scheduler has the value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import distributed
import pytest

from turgo_dask.connection.client import Client
from turgo_dask.slots.taken_over import TakenOver

END_SECONDS = 60


@pytest.fixture
def client(theirs: distributed.LocalCluster) -> Iterator[Client]:
    """A client as the executor has one."""
    with Client(theirs, set_as_default=False) as client:
        yield client


def bound_to(client: distributed.Client, key: str) -> Any:
    """Which workers may run a call."""

    def look(key: str, dask_scheduler: Any) -> Any:
        return dask_scheduler.tasks[key].worker_restrictions

    return client.run_on_scheduler(look, key)


def until(happened: Callable[[], Any]) -> None:
    """Wait until it has."""
    end = time.monotonic() + END_SECONDS
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["ended", "lost"])
def test_a_call_is_bound_no_more_once_its_worker_need_not_have_it(client: Client, how: str) -> None:
    """As the value is there, or the worker is gone; else it would wait for ever to be made again."""
    taken_over, key = TakenOver(client), f"taken-{how}"
    (address,) = client.scheduler_info()["workers"]
    future = client.submit(len, "abc", key=key, **taken_over.bind(key, address))
    assert future.result(timeout=END_SECONDS) == 3
    assert bound_to(client, key) == {address}
    client.loop.add_callback(getattr(taken_over, how), key if how == "ended" else address)
    until(lambda: not bound_to(client, key))
    client.loop.add_callback(taken_over.close)


def test_a_call_that_nobody_bound_is_left_alone(client: Client) -> None:
    """Nothing is asked of the scheduler."""
    taken_over = TakenOver(client)
    taken_over.ended("key")
    taken_over.lost("tcp://127.0.0.1:1")
    assert taken_over._task is None
