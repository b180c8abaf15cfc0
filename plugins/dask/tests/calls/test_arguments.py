"""Futures are resolved wherever they stand among the arguments."""

from __future__ import annotations

import inspect
from collections import OrderedDict, defaultdict
from typing import Any

import pytest

from turgo_dask import DaskExecutor


@pytest.mark.parametrize(
    "make",
    [
        lambda one: [one, (one, {"a": one})],
        lambda one: {one},
        lambda one: frozenset([one]),
        lambda one: {"a": [one]},
        lambda one: OrderedDict(a=one),
        lambda one: defaultdict(list, {"a": one}),
    ],
)
def test_futures_are_resolved_wherever_they_stand(cluster: DaskExecutor, make: Any) -> None:
    """In containers that dask resolves, and in those that it does not."""
    value = cluster.submit(lambda it: (type(it).__name__, it), make(cluster.submit(abs, -7))).result()
    assert value == (type(make(7)).__name__, make(7))


def test_futures_in_a_namedtuple_are_resolved(cluster: DaskExecutor) -> None:
    """Its fields are as good a place as any."""
    named: Any = inspect.Arguments(cluster.submit(abs, -7), [1], None)  # type: ignore[arg-type]
    assert cluster.submit(lambda it: (type(it).__name__, it.args), named).result() == ("Arguments", 7)
