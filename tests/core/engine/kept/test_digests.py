"""Digests of values and arguments within a run."""

from concurrent.futures import Future

import pytest

from turgo import flow, task
from turgo.engine.kept.digests import ValueDigests, combined
from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.remote import RemoteValue, StoredBatch
from turgo.identity.code import Code
from turgo.records.ledger import Ledger


@task
def one(*values, **named):
    return values


def digests_of(body):
    """Those of what a flow records, before anything ran."""
    graph = flow(body).record()
    ledger = Ledger([node.task.name for node in graph.nodes], [None] * len(graph.nodes))
    return ValueDigests(Progress(graph, ledger), Code()), graph.nodes


def test_values_of_different_types_differ() -> None:
    """Also where they are equal; equal ones of a type are the same."""
    digests, _ = digests_of(lambda: one(1))
    values = [1, 1.0, True, "1", b"1", None, [1], (1,), {"a": 1}]
    assert len({digests.of_value(value) for value in values}) == len(values)
    assert [digests.of_value(value) for value in ([1], "\ud800")] == [
        digests.of_value(value) for value in ([1], "\ud800")
    ]


def test_what_is_remote_or_cannot_be_pickled_has_none() -> None:
    """Neither has a call that takes it."""
    digests, nodes = digests_of(lambda: one(one(1)))
    digests.enter(0, RemoteValue(StoredBatch(Future(), 0), (0, None), 1 << 20, None))
    assert digests.of_arguments(nodes[1], None) is None
    digests.enter(0, (each for each in ()))
    assert digests.of_arguments(nodes[1], None) is None


@pytest.mark.parametrize(
    "bodies",
    [
        [lambda: one(1), lambda: one(2), lambda: one(a=1), lambda: one(b=1), lambda: one(1, 1)],
        [
            lambda: one([one(1)]),
            lambda: one((one(1),)),
            lambda: one({"a": one(1)}),
            lambda: one({"b": one(1)}),
        ],
    ],
)
def test_arguments_count_by_place_name_and_shape(bodies) -> None:
    """As constants, and around results."""
    found = set()
    for body in bodies:
        digests, nodes = digests_of(body)
        digests.enter(0, "value")
        found.add(combined(digests.of_arguments(nodes[-1], None)))
    assert len(found) == len(bodies)


def test_a_value_counts_as_it_was_when_it_was_made() -> None:
    """A task that changes it later changes nothing of that."""
    digests, nodes = digests_of(lambda: one(one(1)))
    value = [1]
    digests.enter(0, value)
    before = digests.of_arguments(nodes[1], None)
    value.append(2)
    assert digests.of_arguments(nodes[1], None) == before
