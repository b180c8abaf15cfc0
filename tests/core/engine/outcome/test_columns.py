"""What became of task runs, packed for a later process."""

import zlib

import pytest

from turgo import flow, task
from turgo.engine.outcome.columns import Columns, opened, unkept_reason
from turgo.errors import WorkerLostError
from turgo.hooks import hookimpl
from turgo.records.ledger import Failure
from turgo.records.states import TaskState
from turgo.records.task_runs import TaskRuns

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def load(number):
    if number == 3:
        raise ValueError(f"no such file {number}")
    return number


@task(retries=1)
def patient(number, seen=[]):  # noqa: B006  (it lasts from attempt to attempt)
    seen.append(number)
    if seen.count(number) == 1:
        raise ConnectionError("not yet")
    return number


@task
def clean(value):
    return value


class Watch:
    """Holds the columns of a run."""

    @hookimpl
    def turgo_flow_started(self, run):
        self.columns = Columns(run.explainer.progress, unkept := [])
        self.unkept = unkept


def packed(body):
    """A run, and its columns once it is over."""
    watch = Watch()
    run = flow(name="packed")(body).run(executor="local", observers=[watch])
    return run, watch.columns(over=True), watch


def test_task_runs_are_the_same_when_they_are_opened():
    """States, attempts with their times and workers, errors in words: of single calls, elements, what did not run."""
    run, columns, _ = packed(lambda: (clean.map(load.map(range(5))), patient(7), load.map([])))
    record = opened(columns)
    before, after = list(run.task_runs), list(TaskRuns(record.ledger))
    assert [(each.label, each.state) for each in before] == [(each.label, each.state) for each in after]
    for one, other in zip(before, after, strict=True):
        assert [each.worker for each in one.attempts] == [each.worker for each in other.attempts]
        assert other.started == pytest.approx(one.started, abs=0.01)
        assert other.duration == pytest.approx(one.duration, abs=0.01)
        assert (one.error is None) == (other.error is None)
    assert str(next(each for each in after if each.label == "load[3]").error) == "ValueError: no such file 3"
    tried = next(each for each in after if each.label == "patient").attempts
    assert str(tried[0].error) == "ConnectionError: not yet"


def test_a_lost_call_keeps_when_it_was_sent():
    """Though it has never come back."""
    run, _, watch = packed(lambda: load(1))
    ledger = run.task_runs._ledger
    ledger.times[0] = None
    ledger.failures[0, None] = Failure(TaskState.CRASHED, WorkerLostError("gone"), away=(1000.0, 2.0))
    (found,) = TaskRuns(opened(watch.columns(over=True)).ledger)
    assert (found.started, found.duration) == (1000.0, 2.0) and str(found.error) == "WorkerLostError: gone"


def test_a_million_alike_are_some_kilobytes():
    """Nothing is written for a call by itself."""
    _, columns, _ = packed(lambda: clean.map(range(1_000_000)))
    assert sum(map(len, columns.values())) < 100_000
    assert len(TaskRuns(opened(columns).ledger)) == 1_000_000


def test_what_was_damaged_is_an_error_that_says_so():
    """Whatever is missing or cut short."""
    _, columns, _ = packed(lambda: clean.map(load.map(range(5))))
    for name in columns:
        for content in (b"", columns[name][:-3], zlib.compress(b"[1, 2]")):
            if (name, content) != ("times", b""):
                with pytest.raises((ValueError, LookupError, TypeError, AttributeError, zlib.error)):
                    opened({**columns, name: content})


def test_why_a_value_is_not_kept_is_found_by_its_place():
    """Of an element, of a whole node, of a single call."""
    unkept = [(0, 3, 5, "large"), (1, -1, -1, "quiet"), (2, -1, -1, "lock")]
    assert [unkept_reason(unkept, (0, at)) for at in range(2, 6)] == ["", "large", "large", ""]
    assert unkept_reason(unkept, (1, 7)) == "quiet" and unkept_reason(unkept, (2, None)) == "lock"
