"""How many workers a call may cost, on a cluster of others."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import distributed
import pytest
from distributed.scheduler import KilledWorker

from turgo.errors import WorkerLostError
from turgo_dask import DaskExecutor

END_SECONDS = 60


@pytest.fixture(scope="module")
def theirs(nannied: Callable[..., Any]) -> Iterator[distributed.LocalCluster]:
    """Two workers of one thread each."""
    with nannied(2, 1) as cluster:
        assert cluster.scheduler.allowed_failures == 3
        yield cluster


@pytest.fixture
def deaths(
    theirs: distributed.LocalCluster, lost_workers: Callable[[Any], Callable[[], int]]
) -> Callable[[], int]:
    """Says how many workers were lost since the test began."""
    return lost_workers(theirs)


def connected(cluster: distributed.LocalCluster) -> DaskExecutor:
    """An executor that knows no more of the cluster than its address."""
    return DaskExecutor(address=cluster.scheduler_address, debug=False)


def test_a_call_that_is_lost_comes_back_after_one_worker(
    theirs: distributed.LocalCluster, deaths: Callable[[], int]
) -> None:
    """By itself it is not sent again; that is up to who submitted it. It was alone, so it is known to be its doing."""
    with connected(theirs).start() as executor:
        error = executor.submit(os._exit, 3).exception(timeout=END_SECONDS)
        assert isinstance(error, WorkerLostError) and error.sure and not error.blameless
        assert deaths() == 1
        assert executor.submit(abs, -1).result(timeout=END_SECONDS) == 1


def test_the_calls_of_others_are_sent_to_as_many_workers_as_their_scheduler_allows(
    theirs: distributed.LocalCluster, deaths: Callable[[], int]
) -> None:
    """The plugin looks at the calls of its own client, and leaves with it."""
    plugins = set(theirs.scheduler.plugins)
    with (
        connected(theirs).start(),
        distributed.Client(theirs.scheduler_address, set_as_default=False) as client,
    ):
        (ours,) = {name for name in theirs.scheduler.plugins if name.startswith("turgo-")}
        assert isinstance(client.submit(os._exit, 3).exception(timeout=2 * END_SECONDS), KilledWorker)
        assert deaths() == 4
    assert set(theirs.scheduler.plugins) == plugins
    assert ours.removeprefix("turgo-") not in theirs.scheduler._broker._topics["all"].subscribers


def test_a_scheduler_that_takes_no_plugin_is_warned_of(
    theirs: distributed.LocalCluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The executor starts all the same."""

    def refuse(**_: Any) -> None:
        raise ValueError("this scheduler takes none")

    monkeypatch.setitem(theirs.scheduler.handlers, "register_scheduler_plugin", refuse)
    with caplog.at_level(logging.WARNING, "turgo_dask"), connected(theirs).start() as executor:
        assert executor.submit(abs, -1).result(timeout=END_SECONDS) == 1
    assert "the scheduler takes no plugin" in caplog.text
