"""The causes of failures and skips, found up the graph."""

from turgo import task
from turgo.engine.outcome.causes import Causes
from turgo.records.states import CODE, TaskState


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


def causes(flow):
    return Causes(flow.ledger, flow.graph.nodes.__getitem__)


def test_a_failure_is_followed_to_the_call_that_failed_by_itself(driven):
    """Each on the way is why the one before it did not run."""
    flow = driven(lambda: two(two(one())))
    flow.take()
    flow.fail(0)
    assert causes(flow).of_failure((2, None)) == [(2, None), (1, None), (0, None)]
    assert causes(flow).of_failure((0, None)) == [(0, None)]


def test_an_element_is_followed_to_the_element_that_it_follows(driven):
    """And a whole map to the first of its elements that failed."""
    flow = driven(lambda: two(two.map(one.map(range(4)))))
    flow.know(one)
    flow.take()
    flow.schedule.elements_succeeded(0, 0, 4, [0, None, 2, None], {1: "failed", 3: "failed"})
    flow.fail(0, 1)
    flow.fail(0, 3)
    flow.run()
    found = causes(flow)
    assert found.of_failure((1, 3)) == [(1, 3), (0, 3)]
    assert found.of_failure((2, None)) == [(2, None), (1, 1), (0, 1)]


def test_a_skip_is_followed_to_the_call_that_skipped_itself(driven):
    """And to no failure beside it."""
    flow = driven(lambda: two(one(), one()))
    flow.take()
    flow.take()
    flow.fail(0)
    flow.fail(1, state=TaskState.SKIPPED)
    assert causes(flow).of_skip((2, None)) == [(2, None), (1, None)]


def test_the_first_element_in_a_state_is_found_by_any_of_several_states(driven):
    """None where there is none."""
    flow = driven(lambda: one.map(range(3)))
    flow.succeed(flow.take())
    flow.take()
    flow.fail(0, 1)
    found = causes(flow)
    assert found.first(0) == (0, 1)
    assert found.first(0, [CODE[TaskState.SUCCESS], CODE[TaskState.PENDING]]) == (0, 0)
    assert found.first(0, [CODE[TaskState.CRASHED]]) is None
