"""The schedule, driven by hand: what is ready, and what follows from an outcome."""

import pytest

from turgo import task
from turgo.engine.schedule.attempts import EXCUSED_TIMES
from turgo.errors import WorkerLostError
from turgo.records.ledger import Failure
from turgo.records.states import TaskState


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


@task(retries=1, retry_delay=3.0)
def again(value=0):
    return value


def test_what_is_ready_is_taken_in_the_order_of_recording(driven):
    """Nodes without upstreams, the first recorded first."""
    flow = driven(lambda: [one(), two(), one()])
    assert [flow.take() for _ in range(4)] == [[(0, -1, -1)], [(1, -1, -1)], [(2, -1, -1)], []]
    assert flow.states == ["Running"] * 3


def test_a_call_is_ready_when_the_last_of_its_upstreams_is_over(driven):
    """Not before."""
    flow = driven(lambda: two(one(), one(), one()))
    taken = [flow.take() for _ in range(3)]
    for pieces in taken:
        assert flow.take() == []
        flow.succeed(pieces)
    assert flow.take() == [(3, -1, -1)]


def test_a_failed_call_waits_for_its_retry_outside_the_queues(driven):
    """With its delay, so many times as its policy allows; after that it is over."""
    flow = driven(lambda: two(again()))
    flow.take()
    flow.fail(0)
    assert flow.schedule.attempts.waiting == [(3.0, (0, None))]
    assert flow.take() == [] and flow.states == ["Retrying", "Pending"]
    flow.schedule.retry((0, None))
    assert flow.take() == [(0, -1, -1)]
    flow.fail(0)
    assert flow.states == ["Failed", "TriggerFailed"] and flow.schedule.done


def test_a_skip_is_never_retried(driven):
    """It is no failure."""
    flow = driven(lambda: again())
    flow.take()
    flow.fail(0, state=TaskState.SKIPPED)
    assert flow.states == ["Skipped"] and flow.schedule.done


def test_what_was_not_run_for_a_failure_in_its_batch_is_decided_anew(driven):
    """It is over if its upstream is, and waits if that is tried again."""
    flow = driven(lambda: two(again()))
    flow.know(again, two)
    assert flow.take() == [(0, -1, -1), (1, -1, -1)]
    flow.fail(0)
    flow.schedule.not_run((1, None))
    assert flow.states == ["Retrying", "Pending"]
    flow.schedule.retry((0, None))
    flow.run()
    assert flow.states == ["Success", "Success"]


def test_the_calls_of_a_lost_batch_go_again_in_parts(driven):
    """Each shares a batch with nothing else, and is parted again if it is lost; a call lost alone has crashed."""
    flow = driven(lambda: [one.map(range(16)), two()])
    flow.know(one, two)
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone"))
    pieces = flow.take(budget=0.016)
    assert pieces == [(0, 0, 16)]
    flow.schedule.lost(pieces, lost, sure=True)
    taken = flow.take_each()
    assert sorted(taken) == [[(0, 0, 4)], [(0, 4, 8)], [(0, 8, 12)], [(0, 12, 16)], [(1, -1, -1)]]
    flow.schedule.lost([(0, 8, 12)], lost, sure=True)
    singles = flow.take_each()
    assert sorted(singles) == [[(0, at, at + 1)] for at in range(8, 12)]
    flow.schedule.lost([(0, 9, 10)], lost, sure=True)
    assert flow.schedule.attempts.waiting == []
    for single in (single for single in singles if single != [(0, 9, 10)]):
        flow.succeed(single)
    for part in ([(0, 0, 4)], [(0, 4, 8)], [(0, 12, 16)], [(1, -1, -1)]):
        flow.succeed(part)
    assert flow.states == ["Success"] * 9 + ["Crashed"] + ["Success"] * 7 and flow.schedule.done


def test_the_one_of_a_thousand_that_kills_is_found_in_five_rounds(driven):
    """Every other call of its batch has then run a second time at most for each round."""
    flow = driven(lambda: one.map(range(1_000)))
    flow.know(one, cost=1e-6)
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone"))
    batches, rounds = [flow.take()], 0
    while "Crashed" not in flow.states:
        (killed,) = [batch for batch in batches if batch[0][1] <= 617 < batch[0][2]]
        flow.schedule.lost(killed, lost, sure=True)
        rounds += 1
        batches = flow.take_each()
    assert rounds == 6 and flow.states.index("Crashed") == 617


def test_where_workers_tell_what_they_begin_the_one_that_kills_is_found_in_two(driven):
    """The others of its batch go again, and are suspects no more: one of them that is lost later is tried again."""
    flow = driven(lambda: one.map(range(1_000)))
    flow.know(one, cost=1e-6)
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone"))
    flow.schedule.lost(flow.take(), lost, sure=True)
    (killed,) = [batch for batch in flow.take_each() if batch[0][1] <= 617 < batch[0][2]]
    flow.schedule.lost(killed, lost, sure=True, last=(0, 617))
    assert flow.states.index("Crashed") == 617
    parts = flow.take_each()
    left = sorted(index for part in parts for _, low, high in part for index in range(low, high))
    assert left == [*range(500, 617), *range(618, 750)] and len(parts) == 4
    flow.schedule.lost([(0, 500, 501)], lost, sure=True)
    assert flow.schedule.attempts.waiting == [(0.0, (0, 500))]
    flow.schedule.lost([(0, 749, 750)], lost, sure=False, last=(0, 749))
    assert flow.take_each() == [[(0, 749, 750)]]


def test_a_batch_that_was_lost_by_others_goes_again_as_it_is(driven):
    """Nothing counts against its calls; but not for ever, as it may be their doing nevertheless."""
    flow = driven(lambda: one.map(range(8)))
    flow.know(one)
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone", sure=False, blameless=True))
    pieces = flow.take()
    for _ in range(EXCUSED_TIMES):
        flow.schedule.excused(pieces, lost)
        assert flow.take() == pieces
    flow.schedule.excused(pieces, lost)
    assert len(flow.take_each()) == 4


@pytest.mark.parametrize("begun", [True, False])
def test_a_call_that_may_be_made_once_goes_again_if_it_had_not_begun(driven, begun):
    """With its worker it is Crashed otherwise, as it may have run."""
    flow = driven(lambda: one.with_options(idempotent=False)(1))
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone", sure=False, begun=begun))
    pieces = flow.take()
    flow.schedule.excused(pieces, lost)
    assert flow.take() == ([] if begun else pieces)
    assert flow.states == (["Crashed"] if begun else ["Running"])


def test_a_batch_that_was_lost_together_with_others_goes_again_isolated(driven):
    """Whole, as nobody knows in which of them the one was that kills; parts of it are isolated too."""
    flow = driven(lambda: one.map(range(8)))
    flow.know(one)
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone", sure=False))
    pieces = flow.take()
    flow.schedule.lost(pieces, lost, sure=False)
    assert flow.schedule.attempts.waiting == []
    (lane,) = [lane for lane, queue in flow.schedule.ready.queues.items() if queue.pieces]
    assert lane.isolated and lane.part
    again = flow.take()
    assert again == pieces
    flow.schedule.lost(again, lost, sure=True)
    parts = [lane for lane, queue in flow.schedule.ready.queues.items() if queue.pieces]
    assert len(parts) == 4 and all(lane.isolated for lane in parts)


def test_a_long_chain_that_may_not_run_does_not_overflow_the_stack(driven):
    """Fifty thousand tasks after one that failed, single and mapped."""

    def body():
        value = one()
        for _ in range(50_000):
            value = one(value)
        mapped = one.map([value])
        for _ in range(2_000):
            mapped = one.map(mapped)

    flow = driven(body)
    flow.take()
    flow.fail(0)
    assert flow.schedule.done
    assert set(flow.states[1:]) == {"TriggerFailed"}
