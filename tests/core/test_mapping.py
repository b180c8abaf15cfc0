"""`task.map`: what its arguments may be, and which nodes they make."""

import tracemalloc

import pytest

from penstock import flow, task, unmapped
from penstock.errors import ParameterError

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def add(first, second=0):
    return first + second


@task
def numbers(count):
    return list(range(count))


def nodes(body):
    return flow(body).record().nodes


def run(body):
    return flow(body).run(executor="local").result


def test_constants_a_task_and_a_map_make_one_node_that_is_spread():
    """What is known later is depended on; another map is followed element by element."""

    def body():
        known = add.map([1, 2])
        dynamic = add.map(numbers(3))
        return add.map(known, second=dynamic)

    static, _, dynamic, both = nodes(body)
    assert (static.spread, static.depends, static.follows) == ((0,), (), ())
    assert (dynamic.depends, dynamic.follows) == ((1,), ())
    assert (both.spread, both.depends, both.follows) == ((0, "second"), (), (0, 2))


def test_unmapped_results_are_depended_on_as_a_whole():
    """Also if the same map is followed."""

    def body():
        known = add.map([1, 2])
        return add.map(known, unmapped(known))

    node = nodes(body)[1]
    assert (node.depends, node.follows, node.reads) == ((0,), (0,), (0,))


def test_a_list_that_holds_results_makes_one_node_for_each_element():
    """Each waits for its own results only, and knows which element it is."""

    def body():
        results = [numbers(1), numbers(2)]
        return add.map([results[0], 5, [results[1]]], unmapped([1]))

    *_, one, two, three = nodes(body)
    assert [node.depends for node in (one, two, three)] == [(0,), (), (1,)]
    assert [node.index for node in (one, two, three)] == [0, 1, 2]


def test_the_shortest_decides():
    """Zip of constants, of maps of different widths, and of a list of results."""
    assert run(lambda: add.map([1, 2, 3], [10, 20])) == [11, 22]
    assert run(lambda: add.map(add.map(range(5)), add.map(range(2)))) == [0, 2]
    assert run(lambda: add.map(add.map(range(2)), add.map(range(5)))) == [0, 2]
    assert run(lambda: add.map([add(1), add(2)], [1])) == [2]
    assert run(lambda: add.map([1], add.map(range(9)))) == [1]
    assert run(lambda: add.map([], add.map(range(9)))) == []


def test_a_list_of_results_beside_the_result_of_a_task_or_a_map_is_zipped():
    """Element i gets the i-th of each, as everywhere."""
    assert run(lambda: add.map([add(1), add(2)], numbers(2))) == [1, 3]
    assert run(lambda: add.map([add(1), add(2)], add.map([10, 20]))) == [11, 22]
    assert run(lambda: add.map([add(1), add(2)], numbers(5))) == [1, 3]
    done = flow(lambda: add.map([add(1), add(2)], numbers(1))).run(executor="local")
    assert isinstance(done.error.__cause__, IndexError)  # the nodes were made before its length was known


@pytest.mark.parametrize("value", ["text", b"bytes", 3, None, 1.5])
def test_what_is_no_collection_cannot_be_spread(value):
    """Found when it is recorded; the message says what to do."""
    with pytest.raises(ParameterError, match=r"add.map\(\) cannot spread its argument .*unmapped"):
        nodes(lambda: add.map(value))
    with pytest.raises(ParameterError, match="'second'"):
        nodes(lambda: add.map([1], second=value))


@pytest.mark.parametrize("value", ["text", 3, None])
def test_a_value_that_is_no_collection_fails_the_map_at_run_time(value):
    """And nothing else; the error names the task and the argument."""

    def body():
        return add.map(task(lambda: value)()), add(1)

    done = flow(body).run(executor="local")
    failed = next(each for each in done.task_runs if each.error is not None)
    assert failed.name == "add" and isinstance(failed.error, ParameterError) and "spread" in str(failed.error)
    assert next(iter(reversed(list(done.task_runs)))).state == "Success"


@pytest.mark.parametrize("value", [{1: "a", 2: "b"}, (1, 2), {1, 2}, range(1, 3), frozenset([1, 2])])
def test_any_iterable_can_be_spread_at_run_time(value):
    """As it can when it is known at once."""
    assert run(lambda: add.map(task(lambda: value)())) == [1, 2]
    assert run(lambda: add.map(value)) == [1, 2]


def test_an_iterator_that_fails_at_run_time_fails_the_map():
    """The run goes on."""

    class Broken:
        def __iter__(self):
            raise OSError("no rows")

    done = flow(lambda: [add.map(task(Broken)()), add(1)]).run(executor="local")
    assert [each.state for each in done.task_runs] == ["Success", "Failed", "Success"]


def test_all_unmapped_or_no_argument_is_refused():
    """There is nothing to spread."""
    with pytest.raises(ParameterError, match="all of them are unmapped"):
        nodes(lambda: add.map(unmapped(1)))
    with pytest.raises(ParameterError):
        nodes(lambda: add.map())


def test_a_range_is_recorded_in_constant_memory():
    """A million elements cost no more than ten."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        graph = flow(lambda: add.map(range(1_000_000))).record()
        assert tracemalloc.get_traced_memory()[1] - before < 100_000
    finally:
        tracemalloc.stop()
    assert len(graph.nodes) == 1
