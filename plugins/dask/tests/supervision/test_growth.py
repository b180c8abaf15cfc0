"""Adaptive clusters: what a run has to keep there so that they grow, and that they do."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import dask.config
import distributed
import pytest

from turgo import flow, task
from turgo.executor import Growth
from turgo_dask import DaskExecutor
from turgo_dask.supervision.growth import NEXT_TIMES, SPARE_TIMES, growth_of

MOST = 4
MEET_SECONDS = 60.0
ADAPTS = {"maximum": MOST, "interval": "100ms", "target_duration": "1s"}
CLUSTER = {"threads_per_worker": 1, "processes": False, "dashboard_address": "127.0.0.1:0"}


@attrs.define
class Adapting:
    """As a cluster of any package has it under `_adaptive`."""

    minimum: int = 0
    maximum: float = math.inf
    target_duration: float = 5.0
    state: str = "running"


@attrs.define
class Jobs:
    """A cluster of jobs, as far as it tells of itself."""

    _adaptive: Adapting | None = None
    plan: set[int] = attrs.field(factory=set)


def grows(cluster: Any, *threads: int, **adapt_kwargs: Any) -> Growth | None:
    """To what a cluster grows whose workers have so many threads."""
    return growth_of(cluster, adapt_kwargs, lambda: threads)


def test_a_cluster_grows_to_the_threads_of_its_most_workers() -> None:
    """Each has as many as those that are there have; nobody knows how many if none is."""
    wanted = SPARE_TIMES * 5.0
    assert grows(Jobs(Adapting(maximum=6)), 4, 4) == Growth(24, wanted)
    assert grows(Jobs(Adapting(maximum=3)), 1, 2) == Growth(5, wanted)
    assert grows(Jobs(Adapting(maximum=6))) == Growth(6, wanted)
    assert grows(Jobs(Adapting(maximum=6, target_duration=0.5)), 1) == Growth(6, SPARE_TIMES * 0.5)


def test_a_cluster_without_a_maximum_grows_step_by_step() -> None:
    """To some more than are there, or were asked for; from none, too."""
    assert grows(Jobs(Adapting())) == Growth(NEXT_TIMES, SPARE_TIMES * 5.0)
    assert grows(Jobs(Adapting()), 2, 2) == Growth(2 * 2 * NEXT_TIMES, SPARE_TIMES * 5.0)
    assert grows(Jobs(Adapting(), {1, 2, 3}), 2) == Growth(2 * 3 * NEXT_TIMES, SPARE_TIMES * 5.0)
    assert grows(Jobs(Adapting(minimum=9)), 1) == Growth(9, SPARE_TIMES * 5.0)


def test_a_cluster_that_does_not_adapt_does_not_grow() -> None:
    """Or has no choice, does not adapt any more, or is known by its address only."""
    for cluster in (Jobs(), Jobs(Adapting(2, 2)), Jobs(Adapting(state="stopped"))):
        assert grows(cluster, 1, 1) is None
    assert grows(Jobs(Adapting(state="stopped")), 1, maximum=4) is None
    assert grows(None) is None and grows(None, maximum=4) is None


def test_what_another_service_adapts_grows_as_its_keywords_say() -> None:
    """As the operator of Kubernetes, or a gateway: there is no Adaptive here."""
    assert grows(Jobs(), 2, minimum=1, maximum=3) == Growth(6, SPARE_TIMES * 5.0)
    assert grows(Jobs(), 2, minimum=1, target_duration="1s") == Growth(2 * NEXT_TIMES, SPARE_TIMES)
    assert grows(Jobs(), 2, minimum=3, maximum=3) is None
    with dask.config.set({"distributed.adaptive.target-duration": "10s"}):
        assert grows(Jobs(), 1, maximum=3) == Growth(3, SPARE_TIMES * 10.0)


@task
def meet(folder: str, number: int) -> bool:
    """Whether as many calls run at once as there may be workers."""
    (Path(folder) / str(number)).touch()
    end = time.monotonic() + MEET_SECONDS
    while len(list(Path(folder).iterdir())) < MOST:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@task
def rest(seconds: float) -> None:
    """Take so long."""
    time.sleep(seconds)


@flow
def meeting(folder: str) -> Any:
    """Calls that end once enough of them run."""
    return [meet(folder, number) for number in range(2 * MOST)]


@flow
def resting(seconds: float, count: int) -> Any:
    """So many calls, of which soon is known how long they are."""
    return rest.map([seconds] * count)


@contextmanager
def adapting(kind: str, minimum: int) -> Iterator[DaskExecutor]:
    """An executor on a cluster that has so few workers at first: one of its own, or one that adapts already."""
    options = {**CLUSTER, "n_workers": minimum}
    adapt_kwargs = {**ADAPTS, "minimum": minimum}
    if kind == "own":
        with DaskExecutor(cluster_kwargs=options, adapt_kwargs=adapt_kwargs, debug=False).start() as executor:
            yield executor
        return
    with distributed.LocalCluster(**options, silence_logs=50) as cluster:
        cluster.adapt(**adapt_kwargs)
        with DaskExecutor(cluster_class=cluster, debug=False).start() as executor:
            yield executor


@pytest.mark.parametrize(("kind", "minimum"), [("own", 0), ("own", 1), ("live", 0), ("live", 1)])
def test_a_run_lets_an_adaptive_cluster_grow(kind: str, minimum: int, tmp_path: Path) -> None:
    """To its maximum, and from no worker at all: the calls end only once all of that run at once."""
    with adapting(kind, minimum) as executor:
        assert (executor.slots, executor.growth) == (1, Growth(MOST, SPARE_TIMES * 1.0))
        assert meeting.run(str(tmp_path), executor=executor).result == [True] * (2 * MOST)


def test_a_cluster_that_adapts_has_more_calls_than_fit_also_if_they_are_long() -> None:
    """As by `client.map`: the scheduler, which counts them, asks for no more workers than it has work for."""
    with adapting("own", 1) as executor:
        run = resting.run(0.5, 30, executor=executor)
        assert run.ok and len({each.worker for each in run.task_runs}) >= MOST


def test_a_cluster_that_adapts_later_grows_from_then_on(tmp_path: Path) -> None:
    """Whoever holds the cluster object may let it adapt while it is in use."""
    with (
        distributed.LocalCluster(**CLUSTER, n_workers=1, silence_logs=50) as cluster,
        DaskExecutor(cluster_class=cluster, debug=False).start() as executor,
    ):
        assert executor.growth is None
        cluster.adapt(minimum=1, **ADAPTS)
        assert all(meeting.run(str(tmp_path), executor=executor).result)
