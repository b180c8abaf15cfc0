"""Recording: calls of tasks inside a flow become nodes; what cannot be run is refused with its reason."""

import collections
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest

from turgo import flow, task, unmapped
from turgo.errors import (
    CycleError,
    EmptyFlowError,
    ForeignResultError,
    GraphError,
    ParameterError,
)
from turgo.flows.results import Result, current_recorder
from turgo.registry.source_files import load_source
from turgo.worker.arguments import CONSTANTS, RESULTS, TEMPLATES

pytestmark = pytest.mark.usefixtures("inline_as_local")

small = load_source(Path(__file__).with_name("small_flows.py"))
one, add, recorded = small.one, small.add, small.recorded


def test_each_call_is_a_node_with_the_cheapest_plan_for_its_arguments():
    """Constants, results alone, and anything else are three plans; upstreams are the nodes in the arguments."""

    def body():
        first = add(1)
        add(first, first)
        add(first, [first, 2], third=add(5))
        return add(1, 2)

    nodes = recorded(body).nodes
    assert [node.plan for node in nodes] == [CONSTANTS, RESULTS, CONSTANTS, TEMPLATES, CONSTANTS]
    assert [node.depends for node in nodes] == [(), (0,), (), (0, 2), ()]
    assert [node.id for node in nodes] == list(range(5))


def test_after_adds_upstreams_without_using_their_values():
    """`after` takes results and containers of them; the node depends on them but does not read them."""

    def body():
        return add.after(one(), [one()])(3)

    node = recorded(body).nodes[2]
    assert node.depends == (0, 1)
    assert node.reads == ()


@pytest.mark.parametrize("other", [3, "one", one], ids=["a number", "a name", "a task that was not called"])
def test_after_refuses_what_no_call_can_come_after(other):
    """The order that was asked for would silently not be kept; None and an empty list ask for none."""
    with pytest.raises(GraphError, match=r"after\(\) of one was given .*, and not the result of a task"):
        recorded(lambda: one.after(other)())
    assert [node.depends for node in recorded(lambda: one.after(None, [])()).nodes] == [()]


def test_indexing_a_result_records_a_node():
    """`result[key]` is a result again; the key may be a result as well."""

    def body():
        return one()["a"][one()]

    nodes = recorded(body).nodes
    assert [node.task.name for node in nodes] == ["one", "item", "one", "item"]
    assert nodes[3].depends == (1, 2)


@pytest.mark.parametrize(
    ("use", "deed"),
    [
        (lambda result: bool(result), "used as a condition"),
        (lambda result: list(result), "iterated over"),
        (lambda result: len(result), "measured with len"),
        (lambda result: [*result], "iterated over"),
        (lambda result: 1 in result, "iterated over"),
        (lambda result: result + 1, "computed with"),
        (lambda result: "out/" + result, "computed with"),
        (lambda result: sum([result]), "computed with"),
        (lambda result: -result, "computed with"),
        (lambda result: max(result, 3), "computed with or ordered"),
        (lambda result: int(result), "used as a number"),
        (lambda result: range(result), "used as a number"),
    ],
)
def test_a_result_cannot_be_looked_at_while_the_flow_is_recorded(use, deed):
    """The message says what was done, with whose result, and what to do instead."""
    with pytest.raises(GraphError, match=f"the result of one cannot be {deed}.*inside a task"):
        recorded(lambda: use(one()))


def test_a_result_of_another_call_of_a_flow_is_refused():
    """As an argument, in a container, in `after`, as what is mapped over, and as what is returned."""
    kept = []
    recorded(lambda: kept.append(one()) or kept[0])
    for body in (
        lambda: add(kept[0]),
        lambda: add([{"k": kept[0]}]),
        lambda: add.after(kept[0])(1),
        lambda: add.map([kept[0]]),
        lambda: add.map(kept[0]),
        lambda: (one(), kept[0])[1],
        lambda: kept[0]["a"],
    ):
        with pytest.raises(ForeignResultError, match="only inside"):
            recorded(body)


def test_a_result_used_outside_any_flow_is_refused():
    """A task called outside a flow is called; with a recorded result that makes no sense, nested or not."""
    kept = []
    recorded(lambda: kept.append(one()) or kept[0])
    assert add(1, 2) == 3
    for call in (
        lambda: add(kept[0]),
        lambda: add(1, second=kept[0]),
        lambda: add([kept[0]]),
        lambda: kept[0]["a"],
    ):
        with pytest.raises(ForeignResultError):
            call()


def test_a_container_that_holds_itself_is_refused():
    """Among the arguments, where there are results in it or not, and in what is returned."""
    loop = [1]
    loop.append(loop)

    def as_argument():
        add([loop, one()])

    def returned():
        return [one(), loop]

    for body in (as_argument, returned):
        with pytest.raises(CycleError, match="contains itself"):
            recorded(body)


def test_a_container_that_stands_twice_is_no_circle():
    """The same list in two places is recorded twice."""

    def body():
        pair = [one(), 2]
        return [pair, pair]

    assert flow(body).run(executor="local").result == [[1, 2], [1, 2]]


def test_containers_keep_their_kind():
    """Lists, tuples, named tuples, sets, frozensets and dicts that hold results arrive as what they are."""
    Pair = collections.namedtuple("Pair", "left right")  # noqa: PYI024  (users have these)

    @task
    def same(value):
        return value

    def body():
        n = one()
        return same([[n], (n,), Pair(n, 2), {"k": n}, [{n}, frozenset([n])]])

    result = flow(body).run(executor="local").result
    assert result == [[1], (1,), (1, 2), {"k": 1}, [{1}, {1}]]
    assert [type(each) for each in result[:4]] == [list, tuple, Pair, dict]
    assert type(result[4][1]) is frozenset


def test_a_call_that_does_not_fit_the_function_is_refused():
    """Too few, too many or unknown arguments are found at recording; the message shows the function."""
    for body in (
        lambda: add(),
        lambda: add(1, 2, 3),
        lambda: add(1, fourth=4),
        lambda: one(1),
        lambda: one.map([1]),
    ):
        with pytest.raises(ParameterError, match=r"(add|one)\(.*cannot be called so"):
            recorded(body)


def test_a_flow_without_tasks_is_refused():
    """There is nothing to run."""
    with pytest.raises(EmptyFlowError, match="called no task"):
        recorded(lambda: 3)


def test_endless_recursion_is_told_as_such():
    """A flow that calls itself for ever is an error of the graph, not of the stack."""

    @flow
    def endless(number):
        return endless(add(number))

    with pytest.raises(GraphError, match="calls itself without end"):
        endless.record(0)


def test_a_recursion_error_of_the_users_own_is_not_blamed_on_the_flow():
    """What is raised in the body of a flow comes through as it is."""

    def body():
        one()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        recorded(body)
    assert current_recorder() is None


def test_flows_that_are_recorded_in_threads_do_not_see_each_other():
    """Each thread has its own recorder."""
    barrier = threading.Barrier(2)
    graphs = {}

    def body(count):
        for _ in range(count):
            barrier.wait(timeout=10)
            one()

    def record(count):
        graphs[threading.get_ident()] = flow(body).record(count)

    threads = [threading.Thread(target=record, args=(20,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(graph.nodes) for graph in graphs.values()] == [20, 20]


def test_a_result_shows_what_it_is_and_hides_no_bugs():
    """Its repr names the task; it has no attributes of the value to be found by accident."""
    kept = []
    recorded(lambda: kept.append(one()) or kept[0])
    assert repr(kept[0]) == "<result of one, known when the flow runs>"
    assert isinstance(kept[0], Result)
    with pytest.raises(AttributeError, match="outside the flow that recorded it"):
        kept[0].shape  # noqa: B018


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (lambda: add(unmapped(1)), "argument 0 of add is unmapped(1)"),
        (lambda: add(1, third=unmapped([2])), "'third' of add is unmapped([2])"),
        (lambda: add([1, unmapped(2)]), "argument 0 of add[1] is unmapped(2)"),
        (lambda: add(unmapped(one())), "argument 0 of add is unmapped(<result of one"),
        (lambda: add.map([1], unmapped(unmapped(2))), "1 of add.map() is unmapped(2)"),
        (lambda: add.map([1, unmapped(2)]), "is unmapped(2)"),
        (lambda: [add(1), unmapped(2)], "is unmapped(2)"),
    ],
)
def test_unmapped_is_refused_everywhere_but_as_an_argument_of_map(body, place):
    """The task would get the mark; the message says what to write instead."""
    with pytest.raises(ParameterError, match="write what is in it, without unmapped") as refused:
        recorded(body)
    assert place in str(refused.value)


def test_an_object_that_only_says_it_is_a_list_is_a_constant():
    """As a mock with a spec does."""
    graph = recorded(lambda: add(Mock(spec=list)))
    assert len(graph.nodes) == 1


@pytest.mark.parametrize(
    "deed",
    [
        lambda result: result == "ok",
        lambda result: f"out/{result}.json",
        lambda result: str(result),
        lambda result: "out/%s.json" % result,  # noqa: UP031  (people do)
    ],
)
def test_a_result_is_neither_compared_nor_put_into_a_text(deed):
    """Either would silently go on with something else than the value."""
    with pytest.raises(GraphError, match="known only when the flow runs"):
        recorded(lambda: deed(one()))


def test_results_can_be_told_apart():
    """As elements of lists and keys of dicts."""

    def body():
        first, second = one(), one()
        assert first != second and [first, second].index(second) == 1
        assert {first: 1, second: 2}[second] == 2

    recorded(body)
