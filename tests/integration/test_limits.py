"""Limits: no more calls with a tag run at once than the configuration or the flow allows, on every executor."""

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import cloudpickle
import pytest

from turgo import flow, get_executor, task, unmapped

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "four threads", "four processes", "dask, two by two")
THREADS = {"use": "local_dask", "scheduler": "threads", "num_workers": 4}

Span = tuple[float, float]


class Meeting:
    """So many calls of each kind as wait for each other, if they run at once; later ones find them there."""

    def __init__(self, folder: Path, **wanted: int) -> None:
        self.folder, self.wanted = str(folder), wanted

    def join(self, kind: str, number: int) -> None:
        """Say by a file that this call runs, and wait until all have; but not for ever."""
        Path(self.folder, f"{kind}-{number}").touch()
        end = time.monotonic() + 20
        while not self.complete() and time.monotonic() < end:
            time.sleep(0.01)

    def complete(self) -> bool:
        """Whether all are there."""
        return all(
            len(list(Path(self.folder).glob(f"{kind}-*"))) >= count for kind, count in self.wanted.items()
        )


@task(tags=["db"])
def query(number: int, seconds: float = 0.05, meeting: Meeting | None = None) -> Span:
    began = time.monotonic()  # one clock for all processes of a machine
    if meeting:
        meeting.join("query", number)
    time.sleep(seconds)
    return began, time.monotonic()


@task
def free(number: int, seconds: float = 0.05, meeting: Meeting | None = None) -> Span:
    began = time.monotonic()
    if meeting:
        meeting.join("free", number)
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
def test_a_limit_holds_over_all_workers(engine, most, tmp_path):
    """And holds back nothing else: calls without the tag use what is free."""
    name, executor = engine
    meeting = unmapped(Meeting(tmp_path, query=most, free=1) if name != "local" else None)

    @flow(limits={"db": most})
    def limited():
        return query.map(range(16), meeting=meeting), free.map(range(16), meeting=meeting)

    queries, others = limited.run(executor=executor).result
    assert at_once(queries) <= most
    if name != "local":
        assert at_once(queries) == most
        assert at_once([*queries, *others]) > most


def test_without_a_limit_all_workers_are_used(engine, tmp_path):
    """So that the test above shows something; the local executor has one, and makes one call at a time."""
    name, executor = engine
    meeting = unmapped(Meeting(tmp_path, query=3) if name != "local" else None)
    queries = flow(lambda: query.map(range(16), meeting=meeting)).run(executor=executor)
    most = at_once(queries.result)
    assert most == 1 if name == "local" else most > 2


def test_a_limit_holds_for_calls_that_travel_together(executor):
    """Thousands of short ones go in batches, of which no more than that are under way."""
    spans = (
        flow(limits={"db": 2})(lambda: query.map(range(2_000), seconds=unmapped(0.0)))
        .run(executor=executor)
        .result
    )
    assert len(spans) == 2_000 and at_once(spans) <= 2


def test_a_limit_holds_over_several_executors(executor):
    """Calls with the tag on the run's executor and on another one count together."""
    elsewhere = query.with_options(executor=THREADS)
    both = flow(limits={"db": 1})(lambda: (query.map(range(6)), elsewhere.map(range(6))))
    here, there = both.run(executor=executor).result
    assert at_once([*here, *there]) == 1


def test_a_failure_a_retry_and_a_timeout_free_their_place(executor):
    """Nothing stays counted that no longer runs."""

    @task(tags=["db"], retries=1, timeout=5)
    def fails(number):
        raise ValueError(number)

    @flow(limits={"db": 1}, reference="query")
    def failing():
        return query.after(fails.map(range(5))).with_options(trigger="all_finished")(1)

    assert failing.run(executor=executor).ok


def test_the_configuration_sets_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file does, the flow's own goes before it, and a variable before both."""
    (tmp_path / "turgo.toml").write_text("[limits]\ndb = 1\n")
    monkeypatch.chdir(tmp_path)
    threads = get_executor(THREADS)

    def spans(expected, **options):
        (tmp_path / str(expected)).mkdir()
        meeting = unmapped(Meeting(tmp_path / str(expected), query=expected))
        asked = flow(**options)(lambda: query.map(range(12), meeting=meeting))
        return at_once(asked.run(executor=threads).result)

    assert spans(1) == 1
    assert spans(3, limits={"db": 3}) == 3
    monkeypatch.setenv("TURGO_LIMITS__DB", "2")
    assert spans(2, limits={"db": 3}) == 2
