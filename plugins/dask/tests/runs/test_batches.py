"""How calls travel on a real cluster: many in one submission, a window of submissions, chains in one trip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from turgo import flow, task
from turgo.executor import ExtraContext
from turgo.futures import Future
from turgo_dask import DaskExecutor


class Counting(DaskExecutor):
    """Counts submissions, and how many futures there are at once."""

    sent = most = 0

    def submit(
        self, fn: Callable[..., Any], /, *args: Any, extra_context: ExtraContext | None = None, **kwargs: Any
    ) -> Future[Any]:
        """One more."""
        self.sent += 1
        assert self._open is not None
        self.most = max(self.most, len(self._open.client.futures))
        return super().submit(fn, *args, extra_context=extra_context, **kwargs)


@pytest.fixture(scope="module")
def counting() -> Iterator[Counting]:
    """Two workers of one thread each."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
    with Counting(cluster_kwargs=options, debug=False).start() as executor:
        assert isinstance(executor, Counting)
        yield executor


@pytest.fixture(autouse=True)
def from_nought(counting: Counting) -> None:
    """Count anew in each test."""
    counting.sent = counting.most = 0


@task
def same(value: int) -> int:
    """No work at all."""
    return value


@task(batch=False)
def alone(value: int) -> int:
    """Each call a submission of its own."""
    return value


@flow
def mapped(count: int) -> Any:
    """So many calls."""
    return same.map(range(count))


@flow
def apart(count: int) -> Any:
    """So many submissions."""
    return alone.map(range(count))


@flow
def chained(links: int) -> Any:
    """Each takes the value of the one before."""
    value: Any = 0
    for _ in range(links):
        value = same(value)
    return value


def test_many_short_calls_travel_in_one_submission(counting: Counting) -> None:
    """A map of twenty thousand is some submissions, few of them at once."""
    assert mapped.run(20_000, executor=counting).result == list(range(20_000))
    assert counting.sent < 1_000
    assert counting.most < 50


def test_a_window_of_calls_is_in_flight(counting: Counting) -> None:
    """However many there are to be made: no future is held for those whose time has not come."""
    assert apart.run(500, executor=counting).result == list(range(500))
    assert counting.sent >= 500
    assert counting.most < 50


def test_a_chain_travels_in_few_trips(counting: Counting) -> None:
    """Its links run one after the other where the first did."""
    assert chained.run(500, executor=counting).result == 0
    assert counting.sent < 50
