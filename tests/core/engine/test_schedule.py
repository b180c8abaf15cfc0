"""The schedule, driven by hand: what is ready, and what follows from an outcome."""

import pytest

from penstock import task
from penstock.errors import WorkerLostError
from penstock.ledger import Failure
from penstock.states import TaskState


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


def test_a_mapped_node_is_one_piece_however_wide(driven):
    """A million elements are not a million entries."""
    flow = driven(lambda: one.map(range(1_000_000)))
    queue = next(iter(flow.schedule.ready.queues.values()))
    assert queue.pieces == [(0, 0, 1_000_000)]
    flow.know(one, cost=1e-6)
    pieces = flow.take(budget=0.1)
    assert pieces == [(0, 0, 100_000)]
    flow.succeed(pieces)
    assert queue.pieces == [(0, 100_000, 1_000_000)]


def test_elements_that_failed_leave_the_others_in_slices(driven):
    """What follows the good ones is ready, what follows the bad one is over."""
    flow = driven(lambda: two.map(one.map(range(5))))
    flow.know(one)
    (piece,) = flow.take()
    assert piece == (0, 0, 5)
    flow.schedule.elements.succeeded(0, 0, 5, list("abcde"), {2: "told apart"})
    flow.fail(0, 2)
    assert flow.states[:5] == ["Success", "Success", "Failed", "Success", "Success"]
    assert flow.states[5:] == ["Pending", "Pending", "TriggerFailed", "Pending", "Pending"]
    flow.know(two)
    flow.run()
    assert flow.states[7] == "TriggerFailed" and flow.states.count("Success") == 8


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


def test_a_lost_batch_goes_again_one_by_one(driven):
    """And the call that is lost alone has crashed, which has a budget of its own."""
    flow = driven(lambda: one.map(range(3)))
    flow.know(one)
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone"))
    pieces = flow.take()
    assert pieces == [(0, 0, 3)]
    flow.schedule.lost(pieces, lost, sure=True)
    singles = [flow.take() for _ in range(3)]
    assert singles == [[(0, 0, 1)], [(0, 1, 2)], [(0, 2, 3)]]
    flow.succeed(singles[0])
    flow.schedule.lost(singles[1], lost, sure=True)
    flow.succeed(singles[2])
    assert flow.schedule.attempts.waiting == [(0.0, (0, 1))]
    flow.schedule.retry((0, 1))
    flow.schedule.lost(flow.take(), lost, sure=True)
    assert flow.states == ["Success", "Crashed", "Success"] and flow.schedule.done


def test_a_call_that_was_lost_together_with_others_is_suspected_only(driven):
    """It goes again in seclusion before it counts as crashed."""
    flow = driven(lambda: one.map(range(2)))
    lost = Failure(TaskState.CRASHED, WorkerLostError("gone", sure=False))
    pieces = flow.take()
    flow.schedule.lost(pieces, lost, sure=False)
    assert flow.schedule.attempts.waiting == [] and flow.schedule.attempts.suspects == {(0, 0)}
    secluded = [lane for lane, queue in flow.schedule.ready.queues.items() if lane.secluded and queue.pieces]
    assert len(secluded) == 1


def test_values_are_dropped_when_nothing_ahead_needs_them(driven):
    """Those of an upstream once all that use it are over; what was returned stays; what nobody uses is never kept."""
    flow = driven(lambda: two(two(one())))
    values = flow.schedule.values
    flow.succeed(flow.take(), "first")
    assert values[0] == "first"
    flow.run()
    assert [value is None for value in values] == [True, True, False]


def test_a_map_over_a_map_drops_elements_as_it_goes(driven):
    """Element by element, long before the whole map is over; an upstream that is returned keeps them."""
    flow = driven(lambda: two.map(one.map(range(4))))
    flow.know(one, two)
    flow.costs.pop(two)
    flow.succeed(flow.take(), "value")
    mapped = flow.schedule.mapped[0]
    for index in range(4):
        assert mapped.values[index:] == ["value"] * (4 - index)
        flow.succeed(flow.take(), "other")
    assert flow.schedule.done and mapped.values in ([], [None] * 4)


def test_a_narrow_map_that_is_over_first_leaves_the_wide_one_its_columns(driven):
    """Elements that nobody follows still run."""
    flow = driven(lambda: two.map(one.map([5, 6, 7]), [1]))
    first = flow.take()
    flow.succeed(first)
    flow.run()
    assert flow.states == ["Success"] * 4


def test_cancelling_leaves_what_is_over_and_cancels_all_else(driven):
    """Elements that ran stay what they are."""
    flow = driven(lambda: two(one.map(range(3))))
    flow.succeed(flow.take())
    flow.take()
    flow.schedule.cancel()
    assert flow.states == ["Success", "Cancelled", "Cancelled", "Cancelled"] and flow.schedule.done
    assert flow.take() == []


def test_cancelling_tells_how_many_elements_are_cancelled(driven):
    """One event for each node that was not over."""
    flow = driven(lambda: two(one.map(range(3))), observed=True)
    flow.succeed(flow.take())
    flow.schedule.events.clear()
    flow.schedule.cancel()
    assert [(event.node, event.count) for event in flow.schedule.events] == [(0, 2), (1, 1)]


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


@pytest.mark.parametrize("trigger", ["any_failed", "all_failed", "any_successful", "all_finished"])
def test_a_trigger_is_asked_although_all_is_well(driven, trigger):
    """`any_failed` does not run after success; an empty map has neither failures nor successes."""
    asked = two.with_options(trigger=trigger)
    flow = driven(lambda: [asked(one()), asked(one.map([])), asked.map(one.map([1]))])
    while not flow.schedule.done:
        flow.succeed(flow.take())
    after_success = {"any_failed": "TriggerFailed", "all_failed": "TriggerFailed"}.get(trigger, "Success")
    after_nothing = {"any_failed": "TriggerFailed", "any_successful": "TriggerFailed"}.get(trigger, "Success")
    assert flow.states == ["Success", after_success, after_nothing, "Success", after_success]


def test_events_tell_each_change_of_state(driven):
    """As ranges for elements; none are made when nobody listens."""
    flow = driven(lambda: one(one.map(range(3))), observed=True)
    flow.know(one)
    flow.run()
    told = [
        (event.node, str(event.state), event.count, event.low, event.high) for event in flow.schedule.events
    ]
    assert told == [
        (0, "Running", 3, 0, 3),
        (1, "Running", 1, None, None),
        (0, "Success", 3, 0, 3),
        (1, "Success", 1, None, None),
    ]
    assert driven(lambda: one()).schedule.events is None


def test_what_a_batch_did_not_come_to_is_ready_again_where_nothing_holds_it_up(driven):
    """Elements whose upstream element is over as one piece, the others when it is."""
    flow = driven(lambda: two(one.map(one.map(range(10)))))
    flow.know(one, two)
    first, second, last = flow.take()
    assert (first, second, last) == ((0, 0, 10), (1, 0, 10), (2, -1, -1))
    flow.succeed([(0, 0, 4)])
    for piece in (last, second, (0, 4, 10)):
        flow.schedule.given_back(piece)
    (queue,) = flow.schedule.ready.queues.values()
    assert queue.pieces == [(1, 0, 4), (0, 4, 10)] and queue.calls[one] == 10
    flow.run()
    assert set(flow.states) == {"Success"} and len(flow.states) == 21


@pytest.mark.parametrize("hard", [True, False])
def test_a_call_that_may_be_killed_for_its_timeout_travels_alone(driven, hard):
    """No other call is lost with it; an executor that kills nobody gets them together."""
    timed = one.with_options(timeout=5.0)
    flow = driven(lambda: timed.map(range(10)), hard_timeouts=hard)
    flow.know(timed)
    assert flow.take() == [(0, 0, 1 if hard else 10)]
