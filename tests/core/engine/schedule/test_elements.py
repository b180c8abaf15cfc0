"""The elements of mapped nodes: what follows from each, as slices where they are alike."""

import pytest

from turgo import case, merge, task
from turgo.records.states import CACHED, STATES, TaskState


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


def test_elements_that_failed_leave_the_others_in_slices(driven):
    """What follows the good ones is ready, what follows the bad one is over."""
    flow = driven(lambda: two.map(one.map(range(5))))
    flow.know(one)
    (piece,) = flow.take()
    assert piece == (0, 0, 5)
    flow.schedule.elements_succeeded(0, 0, 5, list("abcde"), {2: "told apart"})
    flow.fail(0, 2)
    assert flow.states[:5] == ["Success", "Success", "Failed", "Success", "Success"]
    assert flow.states[5:] == ["Pending", "Pending", "TriggerFailed", "Pending", "Pending"]
    flow.know(two)
    flow.run()
    assert flow.states[7] == "TriggerFailed" and flow.states.count("Success") == 8


def test_a_map_over_a_map_drops_elements_as_it_goes(driven):
    """Element by element, long before the whole map is over; an upstream that is returned keeps them."""
    flow = driven(lambda: two.map(one.map(range(4))))
    flow.know(one, two)
    flow.costs.pop(two)
    flow.succeed(flow.take(), "value")
    mapped = flow.progress.mapped[0]
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


def test_an_element_that_follows_two_nodes_waits_for_both(driven):
    """One by one: the third element is ready when its own two upstream elements are over."""
    flow = driven(lambda: two.map(one.map(range(3)), one.map(range(3))))
    flow.know(one)
    first, second = flow.take(budget=0.003), flow.take(budget=0.003)
    assert (first, second) == ([(0, 0, 3)], [(1, 0, 3)])
    flow.schedule.elements_succeeded(0, 0, 3, [0, 1, 2], {})
    assert flow.take() == []
    flow.schedule.elements_succeeded(1, 2, 3, [2], {})
    assert flow.take() == [(2, 2, 3)]


def test_a_mapped_node_is_in_the_state_of_its_first_element_that_failed(driven):
    """Skipped only if all of its elements were; what follows as a whole gets the values of those not skipped."""
    for ends, state in (
        ([None, TaskState.SKIPPED, TaskState.TIMED_OUT], "TimedOut"),
        ([TaskState.SKIPPED] * 3, "Skipped"),
        ([None, TaskState.SKIPPED, None], "Success"),
    ):
        flow = driven(lambda: two.with_options(trigger="all_finished")(one.map(range(3))))
        for index, end in enumerate(ends):
            assert flow.take() == [(0, index, index + 1)]
            if end is None:
                flow.succeed([(0, index, index + 1)], value=index)
            else:
                flow.fail(0, index, state=end)
        assert STATES[flow.progress.states[0]] == state
        if state == "Success":
            assert flow.progress.values[0] == [0, 2]


def test_elements_from_the_cache_count_as_well_as_those_that_ran(driven):
    """A map that follows them is one piece."""
    flow = driven(lambda: two.map(one.map(range(4))))
    flow.know(one)
    flow.take()
    flow.schedule.elements_succeeded(0, 0, 2, [0, 1], {}, CACHED)
    flow.schedule.elements_succeeded(0, 2, 4, [2, 3], {})
    assert flow.states[:4] == ["Cached", "Cached", "Success", "Success"]
    flow.know(two)
    assert flow.take(budget=1.0) == [(1, 2, 4), (1, 0, 2)]


@pytest.mark.parametrize(("key", "index"), [(1, 1), (-1, 3), (0, 0)])
def test_what_takes_one_element_waits_for_that_alone(driven, key, index):
    """And is not begun again when the others are over."""
    flow = driven(lambda: two(one.map(range(4))[key]))
    for _ in range(4):
        assert flow.take()[0][0] == 0  # nothing is known of the task, so its calls go one by one
    flow.succeed([(0, index, index + 1)], "the element")
    assert flow.take() == [(2, -1, -1)]
    flow.succeed([(2, -1, -1)], "used")
    for each in {0, 1, 2, 3} - {index}:
        flow.succeed([(0, each, each + 1)])
    assert flow.schedule.done and flow.take() == []
    assert flow.result == "used" and set(flow.states) == {"Success"}


def test_what_takes_one_element_is_over_with_it_however_it_ended(driven):
    """It does not run where the element failed, it is skipped where that was; several may take the same one."""
    flow = driven(lambda: [two(elements[at]) for elements in [one.map(range(3))] for at in (0, 0, 1)])
    for _ in range(3):
        flow.take()
    flow.fail(0, 0)
    flow.fail(0, 1, state=TaskState.SKIPPED)
    assert flow.states[3:] == ["TriggerFailed"] * 4 + ["Skipped"] * 2
    flow.succeed([(0, 2, 3)])
    assert flow.schedule.done


def test_an_element_in_a_case_is_taken_early_too(driven):
    """Its case was decided before; what goes on behind it is told by a merge."""

    def body():
        with case(one(), 0):
            taken = two(one.map(range(3))[2])
        return merge(taken)

    flow = driven(body)
    flow.succeed(flow.take())
    flow.succeed(flow.take())  # the guard
    for _ in range(3):
        flow.take()
    flow.succeed([(2, 2, 3)])
    ((consumer, _, _),) = flow.take()
    flow.succeed([(consumer, -1, -1)], "taken")
    assert flow.result == "taken"
    flow.succeed([(2, 0, 2)])
    assert flow.schedule.done


def test_keys_that_are_not_known_wait_for_the_whole_map(driven):
    """A result, a slice, an index that there is not; the elements of those that are taken early are dropped in time."""
    flow = driven(lambda: [two(each[1:]) for each in [one.map(range(2))]])
    flow.take()
    flow.take()
    flow.succeed([(0, 1, 2)], "second")
    assert flow.take() == []
    flow.succeed([(0, 0, 1)], "first")
    assert flow.take() == [(2, -1, -1)] and flow.progress.values[1] == ["second"]
    flow = driven(lambda: two(one.map(range(2))[7]))
    flow.succeed(flow.take())
    flow.succeed(flow.take())
    assert flow.states[2:] == ["Failed", "TriggerFailed"] and flow.schedule.done
    flow = driven(lambda: two(one.map(range(3))[one()]))
    flow.know(one, two)
    flow.run()
    assert set(flow.states) == {"Success"}


def test_values_of_other_elements_are_not_held_for_one_that_was_taken(driven):
    """Once it has been, nothing needs the map any more."""
    flow = driven(lambda: two(one.map(range(3))[0]))
    for _ in range(3):
        flow.take()
    flow.succeed([(0, 0, 1)], "taken")
    flow.succeed([(0, 1, 3)], "large")
    assert flow.progress.mapped[0].values == [] and flow.progress.values[1] == "taken"
