"""The width of a mapped node, and what it is spread over."""

import pytest

from turgo import task
from turgo.errors import ParameterError


@task
def one(value=0):
    return value


@task
def two(*values):
    return values


@pytest.mark.parametrize("value", [[1, 2, 3], (1, 2, 3), range(3), {1, 2, 3}, dict.fromkeys("abc")], ids=repr)
def test_a_node_is_as_wide_as_the_value_that_it_is_spread_over(driven, value):
    """Any collection, known only when its task is over."""
    flow = driven(lambda: one.map(one()))
    flow.succeed(flow.take(), value)
    assert flow.progress.mapped[1].width == 3


def test_the_shortest_source_decides(driven):
    """Of a value, a list and a map."""
    flow = driven(lambda: two.map(one(), [1, 2], one.map(range(5))))
    while 2 not in flow.progress.mapped:
        flow.succeed(flow.take(), ["a", "cd"] * 2)
    assert flow.progress.mapped[2].width == 2


@pytest.mark.parametrize("value", ["text", b"bytes", 5, None], ids=repr)
def test_what_is_no_collection_of_elements_fails_the_map(driven, value):
    """With an error that names the argument; a text is one value and no collection of letters."""
    flow = driven(lambda: one.map(one()))
    flow.succeed(flow.take(), value)
    error = flow.ledger.failures[1, None].error
    assert isinstance(error, ParameterError) and "one.map() cannot spread its argument 0" in str(error)
    assert flow.states == ["Success", "Failed"] and flow.schedule.done


def test_a_map_that_is_too_wide_fails_before_any_element_runs(driven):
    """An iterator that never ends is read as far as the limit and no further."""

    def endless():
        while True:
            yield 0

    flow = driven(lambda: one.map(one()))
    flow.progress.max_map_width = 10
    flow.succeed(flow.take(), endless())
    assert flow.states == ["Success", "Failed"] and "10" in str(flow.ledger.failures[1, None].error)
