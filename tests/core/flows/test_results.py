"""Parts of a result: attributes, items, slices and what a call that returns several values is taken apart into."""

import copy
from pathlib import Path
from types import SimpleNamespace

import pytest

from turgo import flow, task
from turgo.errors import (
    ForeignResultError,
    GraphError,
    TaskPolicyError,
)
from turgo.registry.source_files import load_source

pytestmark = pytest.mark.usefixtures("inline_as_local")

small = load_source(Path(__file__).with_name("small_flows.py"))
one, add, recorded = small.one, small.add, small.recorded


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
    with pytest.raises(GraphError, match=r"point\(…\)\.move cannot be called .* Do it inside a task$"):
        recorded(lambda: point().move(1))


def test_a_part_of_a_result_is_named_as_it_was_written():
    """And not by the task of ours that takes it."""
    with pytest.raises(GraphError, match=r"^point\(…\)\.x\['low'\] cannot be used as a condition"):
        recorded(lambda: point() if point().x["low"] else 0)
    with pytest.raises(GraphError, match=r"other_task\.map\(point\(…\)\[0\]\)"):
        recorded(lambda: point()[0] + 1)
