"""`task.map`: what its arguments may be, and which nodes they make."""

import itertools
import sys
import tracemalloc

import pytest

from turgo import flow, task, unmapped
from turgo.errors import ConfigError, ParameterError, TaskPolicyError

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


def test_a_generator_is_read_when_the_flow_is_recorded():
    """Once, to its end, whatever comes first in the zip."""
    read = []

    def generate(count):
        for number in range(count):
            read.append(number)
            yield number

    graph = flow(lambda: add.map(generate(3))).record()
    assert read == [0, 1, 2] and len(graph.nodes) == 1
    assert run(lambda: add.map(generate(3), generate(2))) == [0, 2]
    assert run(lambda: add.map([5, 5], second=generate(9))) == [5, 6]
    assert run(lambda: add.map(generate(0), [1])) == []


def test_an_endless_iterator_beside_something_that_ends():
    """The shortest decides; only so much is taken of the other."""
    assert run(lambda: add.map([10, 20], itertools.count())) == [10, 21]
    assert run(lambda: add.map(itertools.count(), second=(n for n in range(2)))) == [0, 2]
    taken = itertools.count()
    run(lambda: add.map(range(3), taken))
    assert next(taken) == 3


@pytest.mark.parametrize(
    "body",
    [
        lambda: add.map(range(11)),
        lambda: add.map(list(range(11))),
        lambda: add.map(itertools.count()),
        lambda: add.map(itertools.count(), itertools.count()),
        lambda: add.map(range(10**30)),
        lambda: add.map([add(1)] * 11),
        lambda: add.map([add(1)] * 11, numbers(2)),
    ],
)
def test_a_map_wider_than_the_ceiling_is_refused_at_recording(body):
    """The message says how many there are, how many there may be, and how to have more."""
    limited = flow(max_map_width=10)(body)
    with pytest.raises(ParameterError, match=r"add.map\(\) has .* elements or more, and 10 .*max_map_width"):
        limited.record()
    assert flow(max_map_width=10)(lambda: add.map(range(10))).run(executor="local").ok


@pytest.mark.parametrize(
    "value",
    [range(11), list(range(11)), itertools.count(), range(10**30)],
    ids=["range", "list", "endless", "huge"],
)
def test_a_map_that_turns_out_wider_than_the_ceiling_fails_that_task(value):
    """And what needs it; nothing else, and none of its elements runs."""
    calls = []

    @task
    def note(element):
        calls.append(element)

    @flow(max_map_width=10)
    def limited():
        return note.map(task(lambda: value)()), add(1)

    done = limited.run(executor="local")
    assert [str(each.state) for each in done.task_runs] == ["Success", "Failed", "Success"]
    assert "10 are the most" in str(done.task_runs[1].error) and not calls


def test_what_decides_at_run_time_may_be_short_enough():
    """A wide constant beside a result is not too wide if the result is not."""
    limited = flow(max_map_width=10)(lambda: add.map(numbers(3), range(10**30)))
    assert limited.run(executor="local").result == [0, 2, 4]


def test_the_ceiling_of_the_configuration(monkeypatch, tmp_path):
    """In a file; the flow's own option comes before it, and a variable before both."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turgo.toml").write_text("max_map_width = 4\n")

    def wide(width):
        return add.map(range(width))

    plain, own = flow(wide), flow(max_map_width=6)(wide)
    assert plain.run(4, executor="local").ok and own.run(6, executor="local").ok
    for body, width in ((plain, 5), (own, 7)):
        with pytest.raises(ParameterError, match="the most"):
            body.run(width, executor="local")
    monkeypatch.setenv("TURGO_MAX_MAP_WIDTH", "2")
    with pytest.raises(ParameterError, match="2 are the most"):
        own.run(3, executor="local")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "true", "'many'"])
def test_a_ceiling_in_the_configuration_that_makes_no_sense_is_refused(text, monkeypatch, tmp_path):
    """With the place where it stands; nothing runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turgo.toml").write_text(f"max_map_width = {text}\n")
    with pytest.raises(ConfigError, match=r"turgo.toml, line 1, .*a whole number, 1 or more"):
        run(lambda: add.map([1]))
    (tmp_path / "turgo.toml").unlink()
    monkeypatch.setenv("TURGO_MAX_MAP_WIDTH", text)
    with pytest.raises(ConfigError, match=r"variable TURGO_MAX_MAP_WIDTH.*a whole number, 1 or more"):
        run(lambda: add.map([1]))


@pytest.mark.parametrize("width", [0, -1, 1.5, True, "9"])
def test_a_ceiling_that_makes_no_sense_is_refused(width):
    """When the flow is made."""
    with pytest.raises(TaskPolicyError, match="max_map_width"):
        flow(max_map_width=width)


def test_maps_over_maps_go_deep_first():
    """Element 0 goes through the whole chain before element 999 starts."""
    order = []

    def step(name):
        @task(name=name)
        def visit(number):
            order.append((name, number))
            return number

        return visit

    first, second, third = step("first"), step("second"), step("third")
    run(lambda: third.map(second.map(first.map(range(1000)))))
    assert order.index(("third", 0)) < order.index(("first", 999))
    assert order[:3] == [("first", 0), ("second", 0), ("third", 0)]


def test_a_chain_of_maps_holds_few_of_the_values_between_them():
    """A thousand values of a megabyte each go through it; some tens of them exist at a time."""

    @task
    def load(number):
        return bytearray(1 << 20)

    @task
    def grow(data):
        return data + b"!"

    @task
    def size(data):
        return len(data)

    def body():
        return size.map(grow.map(load.map(range(1000))))

    tracemalloc.start()
    try:
        run = flow(body).run(executor="local", keep_values=False)
        assert run.result == [(1 << 20) + 1] * 1000
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()


def test_a_value_whose_size_cannot_be_told_harms_nothing():
    """Its own `__sizeof__` fails."""

    class Odd:
        def __sizeof__(self):
            raise OSError("not today")

    @task
    def odd(number):
        return Odd()

    with pytest.raises(OSError, match="not today"):
        sys.getsizeof(Odd())
    assert len(run(lambda: odd.map(range(3)))) == 3


def test_lists_of_mapped_results_are_nested_lists():
    """Returned, given to a task, and mapped over: each element is the list of one map."""

    @task
    def total(values):
        return sum(values)

    def body():
        table = [add.map(row) for row in ([1, 2], [], [3])]
        return table, total.map(table), total(table[0])

    assert run(body) == ([[1, 2], [], [3]], [3, 0, 3], 3)


def test_a_flow_within_a_flow_for_each_element_of_a_list():
    """A map within a map: what comes back are lists in a list."""

    @task
    def total(values):
        return sum(values)

    @flow
    def inner(row):
        return {"all": add.map(row, unmapped(1)), "sum": total(row)}

    found = run(lambda: [inner(row) for row in ([1, 2], [3])])
    assert found == [{"all": [2, 3], "sum": 3}, {"all": [4], "sum": 3}]


def test_an_empty_map_is_an_empty_list_to_all_that_follow():
    """To a map over it, to a task that reduces it, to what zips it, known now or at run time."""

    @task
    def total(values):
        return sum(values)

    def body():
        none, later = add.map([]), add.map(numbers(0))
        return none, later, add.map(none), add.map(later, none), total(none), add.map(range(3), later)

    assert run(body) == ([], [], [], [], 0, [])
