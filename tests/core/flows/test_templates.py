"""Templates: where results are found among the arguments, and where they are refused."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from turgo import flow, unmapped
from turgo.errors import CycleError, ForeignResultError, GraphError, ParameterError
from turgo.flows.results import current_recorder
from turgo.flows.templates import template_of
from turgo.registry.source_files import load_source
from turgo.worker.arguments import CONST, DICT, FROZENSET, LIST, RECORD, RESULT, SET, TUPLE, fill

one = load_source(Path(__file__).with_name("small_flows.py")).one


class Pair(NamedTuple):
    """A record that may hold results."""

    left: Any
    right: Any


def template_in_a_flow(make: Any) -> Any:
    """The template of what `make` returns for a result, or the error of making it."""
    made: list[Any] = []

    @flow
    def body() -> Any:
        result = one()
        made.append(template_of(make(result), "a value", current_recorder()))
        return result

    body.record()
    return made[0]


@pytest.mark.parametrize(
    ("make", "kind", "filled"),
    [
        (lambda result: result, RESULT, "V"),
        (lambda result: [1, result], LIST, [1, "V"]),
        (lambda result: (result,), TUPLE, ("V",)),
        (lambda result: {result, 2}, SET, {"V", 2}),
        (lambda result: frozenset([result]), FROZENSET, frozenset(["V"])),
        (lambda result: {"a": result, "b": 1}, DICT, {"a": "V", "b": 1}),
        (lambda result: Pair(1, result), RECORD, Pair(1, "V")),
        (lambda result: slice(result, None), RECORD, slice("V", None)),
        (lambda result: {"deep": [({"x": result},)]}, DICT, {"deep": [({"x": "V"},)]}),
    ],
)
def test_a_template_puts_the_value_where_the_result_stood(make: Any, kind: int, filled: Any) -> None:
    """In every container that is searched, however deep."""
    template = template_in_a_flow(make)
    assert template[0] == kind
    assert fill(template, {0: "V"}.__getitem__) == filled


@pytest.mark.parametrize("value", [1, "text", None, [1, 2], {"a": (1, 2)}, slice(1, 2), Pair(1, 2), object()])
def test_a_value_without_results_is_a_constant(value: Any) -> None:
    """It is kept as it is, the same object."""
    kind, held = template_in_a_flow(lambda result: value)
    assert kind == CONST and held is value


def test_what_cannot_be_replaced_is_refused() -> None:
    """A key of a dict, a container within itself, a mark of `map`, a result of another flow: each by its own error."""
    with pytest.raises(GraphError, match="a value has a key"):
        template_in_a_flow(lambda result: {result: 1, "x": object()})
    circle: list[Any] = [object()]
    circle.append(circle)
    with pytest.raises(CycleError, match="contains itself"):
        template_in_a_flow(lambda result: circle)
    with pytest.raises(ParameterError, match="an argument of map alone"):
        template_in_a_flow(lambda result: unmapped(result))
    kept: list[Any] = []
    template_in_a_flow(kept.append)
    with pytest.raises(ForeignResultError, match="another call of a flow"):
        template_in_a_flow(lambda result: kept[0])
