"""Taking: what goes into one batch."""

import pytest

from turgo import task
from turgo.engine.schedule.remote import RemoteValue, StoredBatch


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


@task(batch=False)
def alone(value=0):
    return value


@task(tags=["gpu"])
def tagged(value=0):
    return value


def chain(length):
    value = one()
    for _ in range(length - 1):
        value = one(value)
    return value


def test_a_task_whose_cost_nobody_knows_goes_one_call_at_a_time(driven):
    """Whatever the budget."""
    flow = driven(lambda: one.map(range(100)))
    assert flow.take(budget=1e9) == [(0, 0, 1)]


def test_of_very_many_of_them_a_few_go_together(driven):
    """As many as `first` says, of those that are ready; no single call, and none that shares no batch."""
    flow = driven(lambda: one.map(range(100)))
    assert flow.take(first=lambda ready: ready // 10) == [(0, 0, 10)]
    single = driven(two)
    assert single.take(first=lambda ready: 10) == [(0, -1, -1)]
    unshared = driven(lambda: alone.map(range(100)))
    assert unshared.take(first=lambda ready: ready // 10) == [(0, 0, 1)]


def test_known_calls_fill_the_budget(driven):
    """In slices of a map, and in single calls."""
    flow = driven(lambda: one.map(range(100)))
    flow.know(one, cost=0.01)
    assert flow.take(budget=0.255) == [(0, 0, 25)]
    singles = driven(lambda: [one() for _ in range(100)])
    singles.know(one, cost=0.01)
    assert len(singles.take(budget=0.255)) == 25


def test_at_least_one_call_is_taken(driven):
    """Although it costs more than the budget."""
    flow = driven(lambda: one.map(range(3)))
    flow.know(one, cost=10.0)
    assert flow.take(budget=0.1) == [(0, 0, 1)]


def test_no_more_than_ten_times_what_was_seen(driven):
    """`most` bounds the calls of a task in one batch."""
    flow = driven(lambda: one.map(range(1000)))
    flow.know(one, most=30)
    assert flow.take(budget=1e9) == [(0, 0, 30)]


def test_a_chain_travels_as_one_batch(driven):
    """Also if its budget is spent on it alone: it can run nowhere else meanwhile."""
    flow = driven(lambda: chain(50))
    flow.know(one)
    assert [node for node, _, _ in flow.take(budget=0.0, chain=1.0)] == list(range(50))
    short = driven(lambda: chain(50))
    short.know(one, cost=0.01)
    assert len(short.take(budget=0.0, chain=0.1)) == 10


def test_a_chain_ends_where_something_else_waits_for_it(driven):
    """That would have to wait for the end of the batch."""

    def body():
        third = chain(3)
        return [one(third), two(third, two())]

    flow = driven(body)
    flow.know(one)
    assert [node for node, _, _ in flow.take(budget=0.0, chain=1.0)] == [0, 1, 2]


def test_elements_travel_with_those_that_follow_them_and_with_their_reduce(driven):
    """Depth first: nothing is begun that the budget would not see to its end."""
    flow = driven(lambda: two(one.map(one.map(range(100)))))
    flow.know(one, two, cost=0.001)
    assert flow.take(budget=10.0, chain=10.0) == [(0, 0, 100), (1, 0, 100), (2, -1, -1)]
    part = driven(lambda: two(one.map(one.map(range(100)))))
    part.know(one, two, cost=0.001)
    assert part.take(budget=0.0205, chain=10.0) == [(0, 0, 10), (1, 0, 10)]


def test_what_waits_for_another_batch_does_not_travel(driven):
    """A call joins only if all that it waits for is over or in this batch."""
    flow = driven(lambda: two(one(), two()))
    flow.know(one)
    assert flow.take() == [(0, -1, -1)]
    flow.know(two)
    assert flow.take() == [(1, -1, -1)]
    assert flow.take() == []


@pytest.mark.parametrize("follow", [lambda value: alone(value), lambda value: tagged(value)])
def test_other_tags_and_tasks_that_travel_alone_share_no_batch(driven, follow):
    """Neither beside others nor after what they wait for."""
    flow = driven(lambda: follow(one()))
    flow.know(one, alone, tagged)
    assert flow.take() == [(0, -1, -1)]
    both = driven(lambda: [alone(), alone(), tagged(), one()])
    both.know(one, alone, tagged)
    batches = []
    while pieces := both.take():
        batches.append(pieces)
    assert sorted(batches) == [[(0, -1, -1)], [(1, -1, -1)], [(2, -1, -1)], [(3, -1, -1)]]


def test_what_may_run_after_a_failure_does_not_travel_with_what_may_fail(driven):
    """Its trigger is asked when its upstream is over."""
    anyway = two.with_options(trigger="all_finished")
    flow = driven(lambda: anyway(one()))
    flow.know(one, anyway)
    assert flow.take() == [(0, -1, -1)]


def test_every_call_is_taken_once(driven):
    """Whatever the budgets, a layered graph is taken whole and in order of its dependencies."""

    def layers():
        above = [one() for _ in range(7)]
        for _ in range(6):
            above = [two(above[at], above[(at + 1) % 7]) for at in range(7)]
        return above

    for budget in (0.0, 0.002, 0.01, 100.0):
        flow = driven(layers)
        flow.know(one, two)
        taken = []
        while not flow.schedule.done:
            pieces = flow.take(budget=budget, chain=budget)
            taken += [node for node, _, _ in pieces]
            flow.succeed(pieces)
        assert sorted(taken) == list(range(49))
        place = {node: at for at, node in enumerate(taken)}
        assert all(place[up] < place[node.id] for node in flow.graph.nodes for up in node.depends)


def test_maps_that_follow_each_other_a_thousand_deep_are_taken_without_recursion(driven):
    """All of them in one batch."""

    def body():
        values = one.map([1, 2, 3])
        for _ in range(1500):
            values = one.map(values)
        return values

    flow = driven(body)
    flow.know(one)
    assert len(flow.take(budget=100.0, chain=100.0)) == 1501


def test_a_batch_takes_large_values_from_one_worker_only(driven):
    make, read = task(lambda number: number, name="make"), task(lambda value: value, name="read")
    run = driven(lambda: read.map(make.map(range(6))))
    run.know(make)
    ((node, low, high),) = run.take()
    values = [remote_on("one" if at % 2 else "other") for at in range(6)]
    run.progress.remote.add(node)
    run.schedule.elements_succeeded(node, low, high, values, {})
    run.know(read)
    batches = []
    while pieces := run.take():
        batches.append([at for _, low, high in pieces for at in range(low, high)])
    assert sorted(at for batch in batches for at in batch) == list(range(6))
    assert all(len({at % 2 for at in batch}) == 1 for batch in batches)
    assert [batch[0] % 2 for batch in batches[:2]] in ([0, 1], [1, 0])


def remote_on(worker):
    """A large value that lies on a worker."""
    keep = StoredBatch(None, 0)
    keep.worker = worker
    return RemoteValue(keep, (0, -1), 1 << 20, None)
