"""Calls that are submitted at the same time travel together."""

from __future__ import annotations

import operator
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from distributed.client import ClosedClientError, FutureCancelledError

from turgo import flow, task
from turgo.errors import WorkerLostError
from turgo_dask import DaskExecutor
from turgo_dask.calls.future import as_ours
from turgo_dask.connection.bunches import Bunches
from turgo_dask.connection.client import Client


@pytest.fixture(scope="module")
def client(theirs: Any) -> Iterator[Client]:
    """A client as the executor has one."""
    with Client(theirs, set_as_default=False) as client:
        yield client


@pytest.fixture
def graphs(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The keys of each graph that leaves, in their order."""
    left: list[list[str]] = []
    send = client._graph_to_futures

    def noted(expr: Any, keys: Any, *args: Any, **kwargs: Any) -> Any:
        left.append(list(keys))
        return send(expr, keys, *args, **kwargs)

    monkeypatch.setattr(client, "_graph_to_futures", noted)
    return left


@pytest.fixture
def held(client: Client) -> Iterator[threading.Event]:
    """The client's event loop does nothing else until it is set."""
    go, waits = threading.Event(), threading.Event()

    def hold() -> None:
        waits.set()
        assert go.wait(60)

    client.loop.add_callback(hold)
    assert waits.wait(60)
    yield go
    go.set()


def test_what_waits_leaves_together(client: Client, graphs: list[list[str]], held: threading.Event) -> None:
    """In the order of submission; each has the value of its own."""
    bunches = Bunches(client)
    keys = [f"abs-{number}-together" for number in range(20)]
    futures = [bunches.submit(key, operator.neg, (number,), {}) for number, key in enumerate(keys)]
    held.set()
    assert client.gather(futures) == [-number for number in range(20)]
    assert graphs == [keys]


def test_each_placement_has_a_graph(client: Client, graphs: list[list[str]], held: threading.Event) -> None:
    """What two calls ask for differs: they cannot share one."""
    bunches = Bunches(client)
    asked: list[dict[str, Any]] = [{}, {"priority": 5}, {"priority": 5}, {"resources": {}}]
    keys = [f"neg-{number}-placed" for number in range(len(asked))]
    futures = [
        bunches.submit(key, operator.neg, (1,), options) for key, options in zip(keys, asked, strict=True)
    ]
    held.set()
    assert client.gather(futures) == [-1] * len(asked)
    assert graphs == [keys[:1], keys[1:3], keys[3:]]


def test_a_call_whose_future_is_dropped_before_it_leaves_is_forgotten(
    client: Client, held: threading.Event
) -> None:
    """The scheduler hears of it, and then that nobody wants it."""
    bunches = Bunches(client)
    kept = bunches.submit("neg-kept", operator.neg, (1,), {})
    del_ = bunches.submit("neg-dropped", operator.neg, (2,), {})
    del del_
    held.set()
    assert kept.result() == -1
    assert client.submit(operator.neg, 3, pure=False).result() == -3
    assert "neg-dropped" not in client.futures


def test_what_takes_the_value_of_a_call_leaves_after_it(
    client: Client, graphs: list[list[str]], held: threading.Event
) -> None:
    """The scheduler would not know what it waits for."""
    bunches = Bunches(client)
    before = bunches.submit("neg-before", operator.neg, (1,), {})
    bunches.send()
    after = client.submit(operator.neg, before, key="neg-after")
    held.set()
    assert (before.result(), after.result()) == (-1, 1)
    assert graphs == [["neg-before"], ["neg-after"]]


def test_what_cannot_leave_is_an_error_of_its_calls(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("no graphs today")

    monkeypatch.setattr(client, "_graph_to_futures", refuse)
    with pytest.raises(ValueError, match="no graphs today"):
        Bunches(client).submit("neg-refused", operator.neg, (1,), {}).result(timeout=60)


def test_what_a_closed_client_has_not_sent_is_lost_with_its_scheduler(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As what it has sent is: the call itself has not failed."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise ClosedClientError

    monkeypatch.setattr(client, "_graph_to_futures", refuse)
    future = Bunches(client).submit("neg-closed", operator.neg, (1,), {})
    with pytest.raises(FutureCancelledError):
        future.result(timeout=60)
    assert isinstance(as_ours(future._state.exception, future.key), WorkerLostError)


def test_ctrl_c_while_something_is_submitted_holds_up_nothing_later(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An executor may stay open after it, as in a notebook."""
    bunches, add_callback = Bunches(client), client.loop.add_callback

    def interrupted(callback: Any, *args: Any) -> None:
        if callback == bunches.send:
            raise KeyboardInterrupt
        add_callback(callback, *args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(client.loop, "add_callback", interrupted)
        bunches.submit("neg-interrupted", operator.neg, (1,), {})
    assert bunches.submit("neg-later", operator.neg, (2,), {}).result(timeout=60) == -2


@task(batch=False)
def double(x: int) -> int:
    """Twice."""
    return 2 * x


@flow
def doubled(n: int) -> Any:
    """Each of many calls is a submission."""
    return double.map(range(n))


def test_a_run_of_many_submissions_is_whole(theirs: Any) -> None:
    """Each call is made, and made once."""
    executor = DaskExecutor(cluster_class=theirs)
    assert doubled.run(300, executor=executor).result == [2 * x for x in range(300)]
