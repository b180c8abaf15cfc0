"""Attempts: what is tried again, how often, after how long; and which number an attempt has."""

from array import array

import pytest

from turgo import task
from turgo.errors import WorkerLostError
from turgo.records.ledger import Failure, Span, Stamp
from turgo.records.states import CODE, TaskState


@task
def one(value=0):
    return value


@task(retries=3, retry_delay=[1.0, 5.0])
def patient(value=0):
    return value


@task(retries=1, crash_retries=2, retry_delay=7.0)
def fragile(value=0):
    return value


@task(idempotent=False, crash_retries=5)
def once(value=0):
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
    flow.schedule.elements_succeeded(*piece, [0, None, 0, None], {1: "told apart", 3: "told apart"})
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
    assert flow.progress.first_failed is None
    flow.fail(3)
    assert flow.progress.first_failed == (3, None)


def test_the_records_of_an_element_that_is_tried_again_hold_each_attempt_once(driven):
    """While it waits, while it runs, and after it; each with its own times and error."""
    flow = driven(lambda: patient.map(range(3)))
    flow.know(patient)
    flow.take()
    columns, stamp = flow.ledger.mapped[0], Stamp("first", 1000.0, 50.0)
    columns.spans.append(Span(0, 3, stamp, 51.0, [52.0, 54.0, 57.0]))
    flow.schedule.elements_succeeded(0, 0, 3, [0, None, 0], {1: "told apart"})
    flow.fail(0, 1)

    def told():
        attempts = flow.ledger.task_run((0, 1)).attempts
        return [(each.started, each.duration, each.worker, type(each.error)) for each in attempts]

    first = (1002.0, 2.0, "first", ValueError)
    assert told() == [first]
    waited(flow)
    assert flow.take() == [(0, 1, 2)] and told() == [first]
    columns.spans.append(Span(1, 2, Stamp("second", 2000.0, 0.0), 1.0, [1.5]))
    flow.schedule.elements_succeeded(0, 1, 2, ["value"], {})
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


def test_calls_of_a_lost_batch_have_both_attempts_in_their_records(driven):
    """The one that was lost with its worker, and the one that brought the value; the number says so as well."""
    flow = driven(lambda: one.map(range(2)))
    flow.know(one)
    lost = LOST._replace(away=(1000.0, 2.5))
    pieces = flow.take()
    assert pieces == [(0, 0, 2)]
    flow.schedule.lost(pieces, lost, sure=True)
    number = flow.schedule.attempts.number
    assert [number((0, index)) for index in range(2)] == [2, 2]
    stamp = Stamp("w", 2000.0, 0.0)
    while again := flow.take():
        ((_, low, high),) = again
        assert flow.schedule.attempts.later(again) == {(0, low): 2} and high == low + 1
        flow.ledger.mapped[0].spans.append(Span(low, high, stamp, 0.0, array("d", [1.0])))
        flow.succeed(again)
    for index in range(2):
        first, second = flow.ledger.task_run((0, index)).attempts
        assert (first.started, first.duration, first.worker, first.error) == (1000.0, 2.5, "", LOST.error)
        assert (second.started, second.worker, second.error) == (2000.0, "w", None)


@pytest.mark.parametrize("sure", [True, False])
def test_a_call_that_may_not_be_made_twice_is_crashed_when_its_worker_is_lost(driven, sure):
    """Whatever `crash_retries` says, and where nobody can say which batch it was; it shares its batch with none."""
    flow = driven(lambda: once.map(range(3)))
    flow.know(once)
    pieces = flow.take()
    assert pieces == [(0, 0, 1)]
    flow.schedule.lost(pieces, LOST, sure=sure)
    assert flow.progress.ledger.mapped[0].states[0] == CODE[TaskState.CRASHED]
    error = flow.progress.ledger.failures[0, 0].error
    assert str(error) == "gone; it may have run, and is not sent again, as it is not idempotent"


@pytest.mark.parametrize("retries", [0, 1, 2, 5])
def test_a_call_that_kills_costs_two_workers_or_as_many_as_it_may(driven, retries):
    """Also if the first loss was that of a batch: it was its own, as it turns out, and counts."""
    fatal = task(lambda value: value, name="fatal", crash_retries=retries)
    flow = driven(lambda: fatal.map(range(8)))
    flow.know(fatal)
    flow.schedule.lost(flow.take(), LOST, sure=False)
    (pieces,), deaths = flow.take_each(), 1
    while "Crashed" not in flow.states:
        flow.schedule.lost(pieces, LOST, sure=True, last=(0, 3))
        deaths += 1
        waited(flow)
        (pieces,) = [each for each in flow.take_each() if each == [(0, 3, 4)]] or [None]
    assert deaths == max(2, 1 + retries)


def test_what_is_not_to_be_made_twice_is_not_excused(driven):
    """It may have begun, whatever it was lost by."""
    flow = driven(lambda: once())
    flow.schedule.excused(flow.take(), LOST)
    assert flow.states == ["Crashed"]
