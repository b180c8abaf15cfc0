"""Boxes: how the nodes of a graph are drawn together."""

from pathlib import Path

import pytest

from turgo import flow, task
from turgo.outlines.outline import Outline
from turgo.outlines.shapes import Kind
from turgo.registry.source_files import load_source

_drawn = load_source(Path(__file__).with_name("drawn_flows.py"))
bake = _drawn.bake
bakery = _drawn.bakery
kind = _drawn.kind
orders = _drawn.orders

pytestmark = pytest.mark.usefixtures("inline_as_local")


def drawn(body) -> Outline:
    """The outline of a flow of this body."""
    return flow(name="drawn")(body).record().outline


def labels(outline: Outline) -> list[str]:
    """What its boxes are called, in their order."""
    return [box.label for box in outline.boxes]


@task
def step(value):
    return value


def test_a_map_is_one_box_with_its_width_if_that_is_known() -> None:
    """Over a list, a map over that, and over a result; the shorter of two decides."""
    assert labels(drawn(lambda: step.map(bake.map(range(1000))))) == ["bake ×1,000", "step ×1,000"]
    assert labels(drawn(lambda: bake.map([1, 2, 3], [4, 5]))) == ["bake ×2"]
    assert labels(drawn(lambda: bake.map(orders(1), [1, 2]))) == ["orders", "bake ×?"]


def test_a_map_over_results_is_one_box() -> None:
    """It was recorded element by element; two maps stay two, and a loop stays a loop."""
    assert labels(drawn(lambda: bake.map([orders(1), orders(2)]))) == ["orders", "orders", "bake ×2"]
    two = drawn(lambda: [bake.map([orders(1), 2]), bake.map([orders(2), 3])])
    assert labels(two) == ["orders", "bake ×2", "orders", "bake ×2"]
    assert labels(drawn(lambda: [bake(1), bake(2)])) == ["bake", "bake"]


def test_conditions_orders_executors_and_triggers_are_said() -> None:
    """Each where it stands; a case and an order have arrows of their own."""
    outline = bakery.record().outline
    words = {box.name: box.words for box in outline.boxes if box.words}
    assert words == {"case": ("== 'workday'",), "deliver": ("on van",), "sweep": ("trigger always_run",)}
    names = [box.name for box in outline.boxes]
    kinds = {(names[each.source], names[each.target]): each.kind for each in outline.arrows}
    assert kinds["case", "cake"] is Kind.CASE and kinds["deliver", "sweep"] is Kind.AFTER
    assert kinds["orders", "bake"] is kinds["cake", "merge"] is kinds["kind", "case"] is Kind.VALUE


def test_a_run_has_states_and_widths() -> None:
    """While it is over, and as a whole: what did not run too."""
    run = flow(name="drawn")(lambda: [bake.map(orders("x")), kind(1)]).run(executor="local")
    assert [(box.label, box.counts) for box in run.graph.boxes] == [
        ("orders", "Success"),
        ("bake ×3", "3 Failed"),
        ("kind", "Success"),
    ]
    assert run.graph.title == f"drawn, Failed on local (run {run.id})"


def test_many_calls_are_drawn_together_by_level() -> None:
    """It is said; the arrows lead from level to level."""
    outline = drawn(lambda: orders([step(bake(number)) for number in range(300)]))
    assert labels(outline) == ["bake ×300", "step ×300", "orders"]
    assert [(each.source, each.target) for each in outline.arrows] == [(0, 1), (1, 2)]
    assert outline.note == "601 calls are drawn together, one for each task of a level"


def chained(count, *tasks):
    """A chain of so many calls of each of some tasks in turn."""
    value = bake(0)
    for _ in range(count):
        for each in tasks:
            value = each(value)
    return value


def test_a_long_chain_is_drawn_together() -> None:
    """Levels that are alike; where they are not, each task."""
    alike = drawn(lambda: chained(1000, step))
    assert [(box.label, box.level) for box in alike.boxes] == [("bake", "1"), ("step ×1,000", "2 to 1,001")]
    in_turn = drawn(lambda: chained(1000, step, kind))
    assert labels(in_turn) == ["bake", "step ×1,000", "kind ×1,000"]
    assert in_turn.note == "2,001 calls are drawn together, one for each task"


def test_many_tasks_are_drawn_as_those_that_are_called_most() -> None:
    """The others are one box."""
    tasks = [task(name=f"task{number}")(lambda value: value) for number in range(200)]
    outline = drawn(lambda: [tasks[0](1), *(each(1) for each in tasks)])
    assert len(outline.boxes) == 60
    assert {"task0 ×2", "141 other tasks ×141"} <= set(labels(outline))


def test_a_hundred_thousand_calls_are_drawn() -> None:
    """As three lines."""
    outline = drawn(lambda: orders([step(bake(number)) for number in range(50_000)]))
    assert str(outline).splitlines()[1:] == [
        "  bake ×50,000  level 1",
        "  step ×50,000  level 2",
        "  orders  level 3",
    ]
