"""Recording: calls of tasks inside a flow become nodes; what cannot be run is refused with its reason."""

import collections
import copy
import dataclasses
import functools
import threading
from types import MappingProxyType, SimpleNamespace
from unittest.mock import Mock

import pytest

from penstock import flow, task
from penstock.errors import (
    CycleError,
    EmptyFlowError,
    ForeignResultError,
    GraphError,
    ParameterError,
    TaskPolicyError,
)
from penstock.flows.results import Result, current_recorder
from penstock.flows.templates import CONSTANTS, RESULTS, TEMPLATES

pytestmark = pytest.mark.usefixtures("inline_as_local")


@task
def one():
    return 1


@task
def add(first, second=0, *, third=0):
    return first + second + third


def recorded(body):
    """The graph of a flow with this body."""
    return flow(body).record()


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


@dataclasses.dataclass
class Record:
    held: object


@pytest.mark.parametrize(
    ("hide", "told"),
    [
        (Record, "a Record that holds <result of one"),
        (lambda result: Record([1, (result,)]), "a Record that holds"),
        (lambda result: SimpleNamespace(held=result), "a SimpleNamespace that holds"),
        (lambda result: collections.deque([1, result]), "a deque that holds"),
        (lambda result: MappingProxyType({"held": result}), "a mappingproxy that holds"),
        (lambda result: {result: 1}, "has a key that is or holds"),
        (lambda result: {(1, result): 1}, "has a key that is or holds"),
    ],
)
def test_a_result_where_no_value_can_take_its_place_is_refused(hide, told):
    """The task would get the result itself; so it is for what the flow returns."""
    with pytest.raises(GraphError, match=told):
        recorded(lambda: add(hide(one())))
    with pytest.raises(GraphError, match=told):
        recorded(lambda: hide(one()))


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


@task
def point():
    return SimpleNamespace(x=1, y=SimpleNamespace(z=2))


@task
def rows():
    return [1, 2, 3, 4]


@task(nout=2)
def pair(number):
    return number, 10 * number


def run(body):
    return flow(body).run(executor="local").result


def test_an_attribute_of_a_result_records_a_node():
    """`point.x` is a result again, and so is an attribute of it."""

    def body():
        found = point()
        return found.x, found.y.z

    assert [node.task.name for node in recorded(body).nodes] == [
        "point",
        "attribute",
        "attribute",
        "attribute",
    ]
    assert run(body) == (1, 2)


def test_probes_of_a_result_record_nothing():
    """Whatever copies, shows or inspects objects asks for names that begin with an underscore."""

    def body():
        found = one()
        assert not hasattr(found, "_repr_html_") and not hasattr(found, "__array__")
        assert copy.copy(found) is found
        assert copy.deepcopy({"k": [found]}) == {"k": [found]}

    assert len(recorded(body).nodes) == 1


def test_a_list_of_values_has_no_attributes_to_take():
    """Of a mapped result an attribute would be that of the list; the message says where to take it instead."""

    def body():
        return add.map([1]).x

    with pytest.raises(AttributeError, match=r"is a list, which has no x.*inside a task that is mapped"):
        recorded(body)


def test_slices_of_a_result():
    """Of the result of a task or a map; the ends may be results as well."""

    def body():
        found, mapped, two = rows(), add.map([1, 2, 3]), add(2)
        return found[1:3], found[::-1], found[:two], mapped[two:], mapped[-1]

    assert run(body) == ([2, 3], [4, 3, 2, 1], [1, 2], [3], 3)


def test_a_result_is_taken_apart_where_its_task_says_how_many_values_there_are():
    """By unpacking, by a star, by what makes a list of it; each part is an item of it."""

    def body():
        left, right = pair(1)
        first, *rest = pair(2)
        return left, right, first, rest, list(pair(3)), add(*pair(4)), len(pair(5))

    assert run(body) == (1, 10, 2, [20], [3, 30], 44, 2)
    assert [node.task.name for node in recorded(lambda: tuple(pair(1))).nodes] == ["pair", "item", "item"]


def test_unpacking_without_nout_says_how_to_declare_it():
    """And unpacking into another number of names is Python's own error, before anything runs."""
    with pytest.raises(GraphError, match=r"iterated over or unpacked.*@task\(nout=2\)"):
        recorded(lambda: [*one()])

    def three():
        _, _, _ = pair(1)

    with pytest.raises(ValueError, match="not enough values to unpack"):
        recorded(three)


def test_a_mapped_result_of_pairs_is_taken_apart_into_mapped_results():
    """Element by element: what follows the left halves does not wait for all of the pairs."""

    def body():
        left, right = pair.map([1, 2, 3])
        return add.map(left), right

    nodes = recorded(body).nodes
    assert [node.follows for node in nodes] == [(), (0,), (0,), (1,)]
    assert run(body) == ([1, 2, 3], [10, 20, 30])


def test_parts_of_a_result_are_taken_only_inside_its_flow():
    """As items are."""
    kept = []
    recorded(lambda: kept.append(pair(1)) or kept[0])
    with pytest.raises(ForeignResultError, match="unpacked outside"):
        list(kept[0])


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ((1, 2, 3), "3 values"),
        ([], "0 values"),
        (7, "which is no sequence of values"),
        ({1: 2, 3: 4}, "which is no sequence of values"),
        (None, "which is no sequence of values"),
    ],
)
def test_a_value_that_has_not_so_many_parts_fails_its_own_task(value, told):
    """Not the ones that take the parts; the message says what was declared and what came."""

    @task(nout=2)
    def halves():
        return value

    done = flow(lambda: list(halves())).run(executor="local")
    assert [str(each.state) for each in done.task_runs] == ["Failed", "TriggerFailed", "TriggerFailed"]
    error = str(done.task_runs[0].error)
    assert error.startswith("halves is declared with nout=2, but returned ") and told in error
    with pytest.raises((TypeError, ValueError), match="nout=2"):
        halves()


def test_an_async_task_with_nout_is_counted_when_it_is_done():
    """And not before it is awaited."""

    @task(nout=2)
    async def later(number):
        return number, number + 1

    assert run(lambda: list(later(1))) == [1, 2]


@pytest.mark.parametrize("nout", [0, -1, 1.5, True, "2"])
def test_a_number_of_parts_that_makes_no_sense_is_refused(nout):
    """When the task is made."""
    with pytest.raises(TaskPolicyError, match="nout="):
        task(nout=nout)


def test_a_result_cannot_be_called():
    """As a method of its value would be."""
    with pytest.raises(GraphError, match="the result of attribute cannot be called"):
        recorded(lambda: point().move(1))


class Held:
    """An instance that was given something, with a task among its methods."""

    def __init__(self, held):
        self.held = held

    @task
    def scaled(self, number):
        return number

    def plain(self, number):
        return number


@pytest.mark.parametrize(
    "make",
    [
        lambda result: task(functools.partial(add.fn, result)),
        lambda result: task(functools.partial(add.fn, second=[result])),
        lambda result: task(functools.partial(Record(result).__eq__)),
        lambda result: task(lambda: result),
        lambda result: task(Held(result).plain),
        lambda result: Held(result).scaled,
        lambda result: Held([result]).scaled,
    ],
)
def test_a_result_hidden_in_the_function_of_a_task_is_refused(make):
    """In a partial, a closure or the instance of a method; the worker would get the result itself."""
    with pytest.raises(GraphError, match=r"the function of the task .* holds <result of one"):
        recorded(lambda: make(one())(1))


def test_functions_that_hold_anything_else_are_tasks():
    """Also a closure over something that is not there yet, or that refers to itself."""

    def body():
        def later():
            return to_come

        def again():
            return again is not None

        made = [task(later), task(again), task(functools.partial(add.fn, 1)), Held(2).scaled]
        to_come = 5
        return made[0](), made[1](), made[2](2), made[3](3)

    assert run(body) == (5, True, 3, 3)


def test_a_task_among_methods_is_the_same_task_each_time():
    """To the engine, which learns of each task how long it takes; of another instance it is another one."""

    def body():
        held, other = Held(1), Held(2)
        for _ in range(3):
            held.scaled(1)
        other.scaled(1)

    nodes = recorded(body).nodes
    assert nodes[0].task is nodes[1].task is nodes[2].task
    assert nodes[3].task is not nodes[0].task and nodes[3].task.name == "scaled"
