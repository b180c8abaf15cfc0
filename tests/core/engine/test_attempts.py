"""Attempts: what is tried again, how often, after how long; and which number an attempt has."""

import pytest

from penstock import task
from penstock.errors import WorkerLostError
from penstock.ledger import Failure, Span, Stamp
from penstock.states import TaskState


@task
def one(value=0):
    return value


@task(retries=3, retry_delay=[1.0, 5.0])
def patient(value=0):
    return value


@task(retries=1, crash_retries=2, retry_delay=7.0)
def fragile(value=0):
    return value


LOST = Failure(TaskState.CRASHED, WorkerLostError("gone"))


def waited(flow):
    """The retries that were asked for since the last time, which then are ready."""
    waiting = list(flow.schedule.attempts.waiting)
    flow.schedule.attempts.waiting.clear()
    for _, key in waiting:
        flow.schedule.retry(key)
    return waiting


def test_each_retry_waits_for_its_own_delay(driven):
    """The delays of the policy one after the other, the last one from then on."""
    flow = driven(lambda: patient())
    delays = []
    while not flow.schedule.done:
        flow.take()
        flow.fail(0)
        delays += [delay for delay, _ in waited(flow)]
    assert delays == [1.0, 5.0, 5.0] and flow.states == ["Failed"]


def test_the_first_attempt_has_number_one_and_each_further_one_the_next(driven):
    """Crashes count as attempts too."""
    flow = driven(lambda: fragile())
    number = flow.schedule.attempts.number
    assert number((0, None)) == 1
    pieces = flow.take()
    assert flow.schedule.attempts.later(pieces) == {}
    flow.fail(0)
    waited(flow)
    assert number((0, None)) == 2 and flow.schedule.attempts.later(flow.take()) == {(0, None): 2}
    flow.schedule.lost(pieces, LOST, sure=True)
    waited(flow)
    assert number((0, None)) == 3 and flow.schedule.attempts.later(flow.take()) == {(0, None): 3}


def test_of_a_batch_only_calls_beyond_their_first_attempt_have_a_number(driven):
    """Elements that are tried again become ready one by one, whatever travels with them."""
    flow = driven(lambda: patient.map(range(4)))
    flow.know(patient)
    (piece,) = flow.take()
    flow.schedule.elements.succeeded(*piece, [0, None, 0, None], {1: "told apart", 3: "told apart"})
    flow.fail(0, 1)
    flow.fail(0, 3)
    waited(flow)
    pieces = flow.take()
    assert sorted(pieces) == [(0, 1, 2), (0, 3, 4)]
    assert flow.schedule.attempts.later(pieces) == {(0, 1): 2, (0, 3): 2}


def test_crashes_and_failures_have_budgets_of_their_own(driven):
    """One failure and two crashes are forgiven; what comes after that is the end. A crash waits for nothing."""
    flow = driven(lambda: fragile())
    pieces = flow.take()
    delays = []
    for step in ("crash", "fail", "crash"):
        if step == "crash":
            flow.schedule.lost(pieces, LOST, sure=True)
        else:
            flow.fail(0)
        delays += [delay for delay, _ in waited(flow)]
        assert flow.take() == pieces
    assert delays == [0.0, 7.0, 0.0]
    flow.schedule.lost(pieces, LOST, sure=True)
    assert flow.states == ["Crashed"] and flow.schedule.done


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.SKIPPED])
def test_what_is_not_tried_again_leaves_no_trace(driven, state):
    """A run in which calls fail or are skipped once and for all is as quick as one in which all is well."""
    flow = driven(lambda: one.map(range(3)))
    flow.know(one)
    flow.take()
    flow.fail(0, 1, state)
    assert not flow.schedule.attempts.troubled


def test_the_first_task_run_that_failed_for_good_is_known(driven):
    """Neither one that is tried again, nor one that was skipped, nor one that did not run for it."""
    flow = driven(lambda: [one(patient()), one(), one()])
    for _ in range(3):
        flow.take()
    flow.fail(0)
    flow.fail(2, state=TaskState.SKIPPED)
    assert flow.schedule.first_failed is None
    flow.fail(3)
    assert flow.schedule.first_failed == (3, None)


def test_the_records_of_an_element_that_is_tried_again_hold_each_attempt_once(driven):
    """While it waits, while it runs, and after it; each with its own times and error."""
    flow = driven(lambda: patient.map(range(3)))
    flow.know(patient)
    flow.take()
    columns, stamp = flow.ledger.mapped[0], Stamp("first", 1000.0, 50.0)
    columns.spans.append(Span(0, 3, stamp, 51.0, [52.0, 54.0, 57.0]))
    flow.schedule.elements.succeeded(0, 0, 3, [0, None, 0], {1: "told apart"})
    flow.fail(0, 1)

    def told():
        attempts = flow.ledger.task_run((0, 1)).attempts
        return [(each.started, each.duration, each.worker, type(each.error)) for each in attempts]

    first = (1002.0, 2.0, "first", ValueError)
    assert told() == [first]
    waited(flow)
    assert flow.take() == [(0, 1, 2)] and told() == [first]
    columns.spans.append(Span(1, 2, Stamp("second", 2000.0, 0.0), 1.0, [1.5]))
    flow.schedule.elements.succeeded(0, 1, 2, ["value"], {})
    assert told() == [first, (2001.0, 0.5, "second", type(None))]
    assert flow.ledger.task_run((0, 0)).attempts[0].started == 1001.0


def test_an_attempt_that_never_came_back_is_told_of_with_when_it_was_sent(driven):
    """Of a worker that was lost nothing else is known; an attempt before it stays what it was."""
    flow = driven(lambda: fragile.map(range(1)))
    flow.take()
    flow.ledger.mapped[0].spans.append(Span(0, 1, Stamp("first", 1000.0, 0.0), 1.0, [2.0]))
    flow.fail(0, 0)
    waited(flow)
    pieces = flow.take()
    for sent in (2000.0, 3000.0):
        flow.schedule.lost(pieces, LOST._replace(away=(sent, 0.5)), sure=True)
        waited(flow)
        assert flow.take() == pieces
    flow.schedule.lost(pieces, LOST._replace(away=(4000.0, 0.5)), sure=True)
    run = flow.ledger.task_run((0, 0))
    assert str(run.state) == "Crashed"
    assert [each.started for each in run.attempts] == [1001.0, 2000.0, 3000.0, 4000.0]
    assert [type(each.error) for each in run.attempts] == [ValueError] + [WorkerLostError] * 3
