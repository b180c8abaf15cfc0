"""`flatten`: at once where all is known, as a task where it is not."""

import pytest

from turgo import flatten, flow, task
from turgo.errors import ForeignResultError, ParameterError

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def upto(count):
    return list(range(count))


@task
def double(number):
    return 2 * number


@task
def total(values):
    return sum(values)


def run(body):
    return flow(body).run(executor="local").result


def test_outside_a_flow_it_just_flattens():
    """One level, of anything that can be iterated over."""
    assert flatten([[1, [2]], (3,), range(4, 6)]) == [1, [2], 3, 4, 5]
    assert flatten(range(count) for count in range(4)) == [0, 0, 1, 0, 1, 2]
    assert flatten([]) == []


@pytest.mark.parametrize("nested", ["text", b"bytes", 3, None, [1], [[1], "text"]])
def test_what_is_no_collection_of_collections_is_refused(nested):
    """Where that is known; inside a flow as well."""
    with pytest.raises(ParameterError):
        flatten(nested)
    with pytest.raises(ParameterError):
        flow(lambda: total(flatten(nested))).record()


def test_the_result_of_a_map_of_a_task_and_of_a_list_of_results():
    """As an argument of a map and of an ordinary task."""

    def body():
        lists = upto.map([1, 2, 3])
        return (
            double.map(flatten(lists)),
            total(flatten(lists)),
            flatten([upto(2), [7], upto(1)]),
            flatten(task(lambda: [[1], [2]])()),
        )

    assert run(body) == ([0, 0, 2, 0, 2, 4], 4, [0, 1, 7, 0], [1, 2])


def test_what_is_known_is_flattened_without_a_task():
    """So each element of lists of results waits for its own result only."""

    def body():
        return double.map(flatten([[total([1]), 5], [total([2])]]))

    nodes = flow(body).record().nodes
    assert [node.task.name for node in nodes] == ["total", "total", "double", "double", "double"]
    assert [node.depends for node in nodes[2:]] == [(0,), (), (1,)]
    assert run(body) == [2, 10, 4]


def test_it_can_be_done_twice():
    """Two levels are two calls of it."""
    assert run(lambda: flatten(flatten(task(lambda: [[[1], [2]], [[3]]])()))) == [1, 2, 3]


def test_an_element_that_turns_out_to_be_no_collection_fails_the_task():
    """Which is called flatten; the message names the element."""
    done = flow(lambda: flatten(upto(3))).run(executor="local")
    assert done.task_runs[1].name == "flatten"
    assert "element 0 of what is to be flattened is 0" in str(done.task_runs[1].error)


def test_a_result_outside_its_flow_is_refused():
    """On its own and in a list."""
    kept = []
    flow(lambda: kept.append(upto(1)) or kept[0]).record()
    for nested in (kept[0], [[kept[0]]], [kept[0]]):
        with pytest.raises(ForeignResultError):
            flatten(nested)
        with pytest.raises(ForeignResultError):
            flow(lambda nested=nested: total(flatten(nested))).record()
