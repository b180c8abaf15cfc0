"""The facts of a run: values that are kept no longer than needed, events, and what a cancelled run leaves."""

from turgo import task


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


def test_values_are_dropped_when_nothing_ahead_needs_them(driven):
    """Those of an upstream once all that use it are over; what was returned stays; what nobody uses is never kept."""
    flow = driven(lambda: two(two(one())))
    values = flow.progress.values
    flow.succeed(flow.take(), "first")
    assert values[0] == "first"
    flow.run()
    assert [value is None for value in values] == [True, True, False]


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
    flow.progress.events.clear()
    flow.schedule.cancel()
    assert [(event.node, event.count) for event in flow.progress.events] == [(0, 2), (1, 1)]


def test_events_tell_each_change_of_state(driven):
    """As ranges for elements; none are made when nobody listens."""
    flow = driven(lambda: one(one.map(range(3))), observed=True)
    flow.know(one)
    flow.run()
    told = [
        (event.node, str(event.state), event.count, event.low, event.high) for event in flow.progress.events
    ]
    assert told == [
        (0, "Running", 3, 0, 3),
        (1, "Running", 1, None, None),
        (0, "Success", 3, 0, 3),
        (1, "Success", 1, None, None),
    ]
    assert driven(lambda: one()).progress.events is None


def test_the_users_of_a_value_are_known_unless_the_flow_returns_it(driven):
    """As whole and element by element; a leaf has none."""

    def body():
        spread = one.map(range(2))
        two.map(spread)
        return two(spread)

    progress = driven(body).progress
    assert progress.users(0) == ([2], [1]) and progress.users(2) is None
    assert [progress.is_leaf(node) for node in range(3)] == [False, True, True]


def test_a_value_that_is_dropped_leaves_the_elements_of_a_node_that_is_not_over(driven):
    """They are still to be written; those of one that is over go with it."""
    flow = driven(lambda: one.map(range(2)))
    flow.succeed(flow.take(), "value")
    flow.progress.drop_value(0)
    assert flow.progress.mapped[0].values == ["value", None]
    flow.succeed(flow.take(), "value")
    flow.progress.drop_value(0)
    assert flow.progress.mapped[0].values == []
