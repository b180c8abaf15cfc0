"""The urgency of ready calls, and what a run gains by it in virtual time."""

from heapq import heapify, heappop, heappush
from random import Random

import pytest

from turgo import flow, task
from turgo.engine.batching.urgency import Urgency
from turgo.testing import SimulatedExecutor


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


def ordered(driven, body, costs, slots=1):
    """The ready nodes of a flow in the order in which they are taken."""
    run = driven(body)
    (queue,) = run.schedule.ready.queues.values()
    urgency = Urgency(run.progress)
    urgency.order(queue, costs, slots)
    return [piece[0] for piece in reversed(queue.pieces)], urgency


def test_the_call_with_the_longest_path_behind_it_goes_first(driven):
    """By levels as long as nothing is known, by seconds after that; equal ones in the order of recording."""

    def body():
        one()
        two(one(one()))
        two(two())

    order, urgency = ordered(driven, body, {})
    assert order == [1, 4, 0] and urgency.ranks == [1.0, 3.0, 2.0, 1.0, 2.0, 1.0] and urgency.decides
    assert ordered(driven, body, {one: 0.001, two: 5.0})[0] == [4, 1, 0]


def test_the_stack_is_left_alone_where_slots_are_plenty_or_paths_are_short(driven):
    """What was begun is finished before more is begun, so few values are alive."""

    def body():
        for _ in range(30):
            one()
        two(one())

    assert ordered(driven, body, {}, slots=40)[0][0] == 0
    assert ordered(driven, body, {}, slots=2)[0][0] == 0
    assert ordered(driven, body, {}, slots=8)[0][0] == 30


def test_a_batch_leads_to_the_longest_path_that_waits_for_it(driven):
    """Outside of it; and what waits overtakes the ready calls that have a shorter one."""

    def body():
        one()
        two(one(one()), one())

    costs = {one: 1.0, two: 5.0}
    order, urgency = ordered(driven, body, costs)
    assert order == [1, 3, 0] and urgency.ranks == [1.0, 7.0, 6.0, 6.0, 5.0]
    assert [urgency.leads([(node, -1, -1)]) for node in (0, 1, 2)] == [0.0, 6.0, 5.0]
    assert urgency.leads([(1, -1, -1), (2, -1, -1)]) == 5.0
    assert [urgency.overtakes(node) for node in (0, 1)] == [True, False]
    assert ordered(driven, body, costs, slots=8)[1].leads([(1, -1, -1)]) == 0.0


def test_a_path_that_waits_presses_while_less_urgent_calls_are_ready(driven):
    """Not where all that is ready is more urgent, nor where the slots have work for far longer."""

    def body():
        for _ in range(8):
            two()
        one(one(one(one())))

    run = driven(body)
    (queue,) = run.schedule.ready.queues.values()
    urgency = Urgency(run.progress)
    urgency.order(queue, {}, 2)
    assert urgency.decides and urgency.presses
    queue.unordered = True
    urgency.order(queue, {two: 1.0, one: 0.5}, 2)
    assert urgency.decides and not urgency.presses
    assert not ordered(driven, lambda: [two(one()) for _ in range(8)], {})[1].presses


def test_calls_beside_a_path_that_waits_leave_slots_free_for_it():
    """On a cluster where a batch of several calls would seem well worth its round trip."""
    simulated = SimulatedExecutor(4, serial_seconds=0.0015, latency_seconds=0.004)

    @task
    def wide():
        simulated.sleep(0.05)

    @task
    def link(*before):
        simulated.sleep(0.1)

    @flow
    def beside():
        for _ in range(120):
            wide()
        last = link()
        for _ in range(19):
            last = link(last)

    assert beside.run(executor=simulated).duration < 1.12 * 2.0


def test_a_map_that_follows_another_is_as_urgent_as_that(driven):
    """Its elements are taken before more of the other are begun."""
    run = driven(lambda: two(one.map(two.map(range(4)))))
    urgency = Urgency(run.progress)
    urgency._rank({})
    assert urgency.ranks == [3.0, 3.0, 1.0]


def test_a_chain_that_was_recorded_last_is_not_begun_last():
    """A chain of 2 s beside work of 2 s for every slot: both are over soon after that."""
    simulated = SimulatedExecutor(4, serial_seconds=0.001, latency_seconds=0.004)

    @task
    def work(*before):
        simulated.sleep(0.1)

    @flow
    def beside():
        for _ in range(60):
            work()
        last = work()
        for _ in range(19):
            last = work(last)

    assert beside.run(executor=simulated).duration <= 1.1 * 2.0


def drawn(seed, count):
    """A graph of eight kinds of tasks: for each node its kind, its seconds, and those that it depends on."""
    random = Random(seed)
    usual = [random.lognormvariate(0.0, 1.0) for _ in range(8)]
    kinds = [random.randrange(8) for _ in range(count)]
    seconds = [usual[kind] * random.uniform(0.8, 1.2) for kind in kinds]
    depends = [random.sample(range(max(0, at - 30), at), min(at, random.randrange(3))) for at in range(count)]
    return kinds, seconds, depends


def by_levels(seconds, depends, slots):
    """Seconds that a list schedule takes that knows levels, and no durations."""
    consumers = [[] for _ in seconds]
    for at, needs in enumerate(depends):
        for need in needs:
            consumers[need].append(at)
    levels = [1] * len(seconds)
    for at in reversed(range(len(seconds))):
        levels[at] += max((levels[consumer] for consumer in consumers[at]), default=0)
    missing = [len(needs) for needs in depends]
    ready = [(-levels[at], at) for at, left in enumerate(missing) if not left]
    heapify(ready)
    running, now = [], 0.0
    while ready or running:
        while ready and len(running) < slots:
            _, at = heappop(ready)
            heappush(running, (now + seconds[at], at))
        now, at = heappop(running)
        for consumer in consumers[at]:
            missing[consumer] -= 1
            if not missing[consumer]:
                heappush(ready, (-levels[consumer], consumer))
    return now


@pytest.mark.parametrize("slots", [4, 8])
@pytest.mark.parametrize("seed", range(4))
def test_a_drawn_graph_takes_no_longer_than_by_a_list_schedule_that_knows_levels(seed, slots):
    """Though the engine learns what its tasks take only while it runs them."""
    kinds, seconds, depends = drawn(seed, 197)
    simulated = SimulatedExecutor(slots, serial_seconds=0.001, latency_seconds=0.004)
    tasks = [
        task(lambda length, *before: simulated.sleep(length)).with_options(name=f"kind-{at}")
        for at in range(8)
    ]

    @flow
    def graph():
        values = []
        for kind, length, needs in zip(kinds, seconds, depends, strict=True):
            values.append(tasks[kind](length, *(values[need] for need in needs)))

    assert graph.run(executor=simulated).duration <= 1.05 * by_levels(seconds, depends, slots)
