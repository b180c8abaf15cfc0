"""The values of a run: what went well is at hand, and markers say why there is nothing for the rest."""

import gc
import pickle
import weakref

import pytest

from turgo import NoValue, Skip, flow, merge, task
from turgo.engine.schedule import progress
from turgo.errors import ParameterError, RunError
from turgo.records.states import TaskState

pytestmark = pytest.mark.usefixtures("inline_as_local")


class Heavy:
    """A value that one can have a weak reference to."""


@task
def score(number):
    if number == 2:
        raise ValueError("two is not scored")
    if number == 5:
        raise Skip("five")
    return 10 * number


@task
def total(scores):
    return sum(scores)


@task
def heavy():
    return Heavy()


@task
def kind_of(value):
    return type(value).__name__


@flow
def scores(numbers=(1, 2, 3)):
    found = score.map(list(numbers))
    return {"scores": found, "total": total(found), "one": (score(7), "constant")}


def test_what_went_well_is_at_hand_in_the_shape_that_the_flow_returned():
    """Elements of a map too; what failed, and what did not run for it, has a marker."""
    run = scores.run()
    partial = run.partial
    assert not run.ok
    assert partial["one"] == (70, "constant")
    assert [partial["scores"][0], partial["scores"][2]] == [10, 30]
    failed, missing = partial["scores"][1], partial["total"]
    assert isinstance(failed, NoValue) and isinstance(failed.error, ValueError)
    assert (failed.label, failed.state) == ("score[1]", TaskState.FAILED)
    assert repr(failed) == "<no value: score[1] (number=2) is Failed: ValueError: two is not scored>"
    assert missing.state is TaskState.TRIGGER_FAILED


def test_values_are_given_by_element():
    """Of a task by itself, its name, one element or a record; of two calls of it in their order."""
    run = scores.run()
    assert [each for each in run.values(score) if not isinstance(each, NoValue)] == [10, 30, 70]
    assert run.values("score[2]") == [30]
    assert run.values(run.task_runs[0]) == [10] and run.task_runs[0].value == 10
    assert run.task_runs[1].value.state is TaskState.FAILED
    with pytest.raises(ParameterError, match="no task run 'scores'; did you mean 'score'"):
        run.values("scores")


def test_partial_is_the_result_of_a_run_that_succeeded():
    """Skipped elements are left out of both; and the elements of a list that consumers have seen are the same."""
    run = scores.run([1, 5])
    assert run.partial == run.result == {"scores": [10], "total": 10, "one": (70, "constant")}
    assert run.values("score[1]")[0].state is TaskState.SKIPPED


def test_a_node_that_never_had_elements_and_a_branch_that_was_skipped_have_one_marker_or_none():
    """As what is mapped over is not there; None stands for what was skipped, as in a result."""

    @flow
    def nothing():
        return score.map(total(score.map([2]))), merge(score(5), score(4)), score(5)

    whole, merged, skipped = nothing.run().partial
    assert whole.state is TaskState.TRIGGER_FAILED
    assert (merged, skipped) == (40, None)


def test_values_live_as_long_as_the_run_object():
    """Those that something else used too; and no longer, whoever keeps a task run's state."""

    @flow
    def one():
        return kind_of(heavy())

    run = one.run()
    assert run.result == "Heavy"
    seen = weakref.ref(run.values("heavy")[0])
    gc.collect()
    assert seen() is not None
    del run
    gc.collect()
    assert seen() is None


def test_a_run_that_keeps_none_says_so():
    """`keep_values=False`; its result is there all the same. A call of the flow keeps none either."""
    run = scores.run([1], keep_values=False)
    assert run.partial == run.result
    for ask in (lambda: run.values("score"), lambda: run.task_runs[0].value):
        with pytest.raises(RunError, match="were not kept"):
            ask()


def test_a_run_is_pickled_without_its_values():
    """What it gives then is its record, and no sentinel for its result."""
    run = pickle.loads(pickle.dumps(scores.run()))
    assert run.task_runs[1].state is TaskState.FAILED
    with pytest.raises(RunError, match="were not kept"):
        _ = run.partial


def test_values_that_become_too_large_are_let_go(monkeypatch):
    """Those that nothing ahead needs; what the flow returns stays, and the rest has a marker."""
    monkeypatch.setattr(progress, "KEPT_VALUES_BYTES", 1000)

    @task
    def rows(size):
        return bytes(size)

    @task
    def size_of(value):
        return len(value)

    @flow
    def large():
        first = rows(600)
        return size_of.map(rows.map([10, 600])), size_of(first)

    run = large.run()
    assert run.result == ([10, 600], 600)
    assert run.values("size_of") == [10, 600, 600]
    reasons = {each.reason for each in run.values("rows")}
    assert any("let go" in reason for reason in reasons)
