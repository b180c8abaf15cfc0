"""The ready calls: lanes, and pieces that stay whole."""

import pytest

from turgo import task
from turgo.engine.schedule.remote import RemoteValue, StoredBatch


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


def lies_on(worker):
    """A value that stayed on a worker."""
    stored = StoredBatch(None, 0)
    stored.worker = worker
    return RemoteValue(stored, (0, 0), 100, None)


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


@pytest.mark.parametrize("hard", [True, False])
def test_a_call_that_may_be_killed_for_its_timeout_travels_alone(driven, hard):
    """No other call is lost with it; an executor that kills nobody gets them together."""
    timed = one.with_options(timeout=5.0)
    flow = driven(lambda: timed.map(range(10)), hard_timeouts=hard)
    flow.know(timed)
    assert flow.take() == [(0, 0, 1 if hard else 10)]


def test_what_a_cache_may_have_is_asked_for_before_it_is_put_into_a_lane(driven):
    """`missed` puts it there, apart from calls whose values no cache keeps."""
    cached = one.with_options(cache_key="inputs")
    flow = driven(lambda: [cached(1), one(2)], caching=True)
    ready = flow.schedule.ready
    assert ready.asked == [(0, -1, -1)] and [lane.keeps for lane in ready.queues] == [False]
    ready.missed(ready.asked.pop())
    assert [(lane.keeps, queue.pieces) for lane, queue in ready.queues.items()] == [
        (False, [(1, -1, -1)]),
        (True, [(0, -1, -1)]),
    ]


def test_elements_become_ready_in_runs_that_lie_on_one_worker(driven):
    """So a batch reads the large values of one worker only; each worker has its turn."""
    flow = driven(lambda: two.map(one.map(range(8))))
    flow.know(one)
    ((node, low, high),) = flow.take()
    flow.progress.remote.add(node)
    flow.schedule.elements_succeeded(
        node, low, high, [lies_on("one" if at < 4 else "other") for at in range(8)], {}
    )
    (queue,) = [queue for queue in flow.schedule.ready.queues.values() if queue.pieces]
    assert queue.pieces == [(1, 4, 8), (1, 0, 4)]
    assert flow.schedule.ready.worker_of(flow.progress.nodes[1], 5) == "other"


def test_what_was_pushed_first_is_taken_first_once_the_stacks_are_reversed(driven):
    """Pieces, and what the cache is asked for."""
    flow = driven(lambda: [one(), two()])
    ready = flow.schedule.ready
    before = [list(queue.pieces) for queue in ready.queues.values()]
    ready.reverse()
    assert [queue.pieces for queue in ready.queues.values()] == [pieces[::-1] for pieces in before]
    ready.clear()
    assert not ready
