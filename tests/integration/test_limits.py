"""Limits: no more calls with a tag run at once than the configuration or the flow allows, on every executor."""

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import cloudpickle
import pytest

from penstock import Executor, flow, get_executor, task, unmapped

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = {
    "local": ("local", {}),
    "threads": ("local_dask", {"scheduler": "threads", "num_workers": 4}),
    "processes": ("local_dask", {"scheduler": "processes", "num_workers": 4}),
    "dask": ("dask", {"cluster_kwargs": {"n_workers": 2, "threads_per_worker": 2}}),
}
PARALLEL = {"threads", "processes", "dask"}
THREADS = {"use": "local_dask", "scheduler": "threads", "num_workers": 4}

Span = tuple[float, float]


@pytest.fixture(
    scope="module", params=[pytest.param(e, marks=[pytest.mark.cluster] * (e == "dask")) for e in ENGINES]
)
def engine(request: pytest.FixtureRequest) -> Iterator[tuple[str, Executor]]:
    """The name under which the tests know the executor, and the started executor."""
    name, options = ENGINES[request.param]
    with get_executor(name, **options).start() as started:
        started.wait(started.map(time.sleep, [0.1] * 8))  # pools that are made lazily are there from now on
        yield request.param, started


@task(tags=["db"])
def query(number: int, seconds: float = 0.05) -> Span:
    began = time.monotonic()  # one clock for all processes of a machine
    time.sleep(seconds)
    return began, time.monotonic()


@task
def free(number: int, seconds: float = 0.05) -> Span:
    began = time.monotonic()
    time.sleep(seconds)
    return began, time.monotonic()


def at_once(spans: Iterable[Span]) -> int:
    """How many calls ran at the same time, at most."""
    changes = sorted(change for began, ended in spans for change in ((began, 1), (ended, -1)))
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


@pytest.mark.parametrize("most", [1, 2])
def test_a_limit_holds_over_all_workers(engine, most):
    """And holds back nothing else: calls without the tag use what is free."""
    name, executor = engine

    @flow(limits={"db": most})
    def limited():
        return query.map(range(16)), free.map(range(16))

    queries, others = limited.run(executor=executor).result
    assert at_once(queries) <= most
    if name in PARALLEL:
        assert at_once(queries) == most
        assert at_once([*queries, *others]) > most


def test_without_a_limit_all_workers_are_used(engine):
    """So that the test above shows something."""
    name, executor = engine
    if name in PARALLEL:
        assert at_once(flow(lambda: query.map(range(16))).run(executor=executor).result) > 2


def test_a_limit_holds_for_calls_that_travel_together(engine):
    """Thousands of short ones go in batches, of which no more than that are under way."""
    _, executor = engine
    spans = (
        flow(limits={"db": 2})(lambda: query.map(range(2_000), seconds=unmapped(0.0)))
        .run(executor=executor)
        .result
    )
    assert len(spans) == 2_000 and at_once(spans) <= 2


def test_a_limit_holds_over_several_executors(engine):
    """Calls with the tag on the run's executor and on another one count together."""
    _, executor = engine
    elsewhere = query.with_options(executor=THREADS)
    both = flow(limits={"db": 1})(lambda: (query.map(range(6)), elsewhere.map(range(6))))
    here, there = both.run(executor=executor).result
    assert at_once([*here, *there]) == 1


def test_a_failure_a_retry_and_a_timeout_free_their_place(engine):
    """Nothing stays counted that no longer runs."""
    _, executor = engine

    @task(tags=["db"], retries=1, timeout=5)
    def fails(number):
        raise ValueError(number)

    @flow(limits={"db": 1}, reference="query")
    def failing():
        return query.after(fails.map(range(5))).with_options(trigger="all_finished")(1)

    assert failing.run(executor=executor).ok


def test_the_configuration_sets_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file does, the flow's own goes before it, and a variable before both."""
    (tmp_path / "penstock.toml").write_text("[limits]\ndb = 1\n")
    monkeypatch.chdir(tmp_path)
    threads = get_executor(THREADS)

    def spans(**options):
        return at_once(flow(**options)(lambda: query.map(range(12))).run(executor=threads).result)

    assert spans() == 1
    assert spans(limits={"db": 3}) == 3
    monkeypatch.setenv("PENSTOCK_LIMITS__DB", "2")
    assert spans(limits={"db": 3}) == 2
