"""Calls without a pool, and on a pool that the user made."""

from __future__ import annotations

import concurrent.futures
import operator
from typing import Any

import dask

from turgo_local_dask import LocalDaskExecutor


def test_a_scheduler_function_gets_a_graph_of_one_call() -> None:
    """Any function that dask takes for a scheduler runs the calls, one at a time."""
    graphs: list[int] = []

    def scheduler(graph: Any, key: Any, **options: Any) -> Any:
        graphs.append(len(graph))
        return dask.get(graph, key, **options)

    with LocalDaskExecutor(scheduler).start() as executor:
        first = executor.submit(operator.add, 1, 2)
        assert executor.submit(operator.mul, [first], 2).result() == [3, 3]
        assert isinstance(executor.submit(operator.truediv, 1, 0).exception(), ZeroDivisionError)
    assert graphs == [1, 1, 1]


def test_a_pool_of_ones_own_is_used_and_not_closed() -> None:
    """`pool` takes the calls, decides the slots, and goes on afterwards."""
    with concurrent.futures.ThreadPoolExecutor(3, thread_name_prefix="mine") as pool:
        with LocalDaskExecutor("threads", pool=pool).start() as executor:
            assert executor.slots == 3
            name = executor.wait(executor.submit(lambda: __import__("threading").current_thread().name))
        assert name.startswith("mine")
        assert pool.submit(abs, -1).result() == 1


def test_of_a_pool_of_ones_own_nothing_more_is_promised() -> None:
    """Whether it can end a call or forward logs is not known, whatever the scheduler."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert LocalDaskExecutor("processes", pool=pool).capabilities == {"parallel"}
