"""Large arrays: out of band between processes, not moved at all between threads."""

from __future__ import annotations

from typing import Any

import pytest

from penstock import flow, task
from penstock_local_dask import LocalDaskExecutor
from penstock_local_dask.pipe import packed, unpacked

np = pytest.importorskip("numpy")


def test_large_buffers_are_no_part_of_the_pickle() -> None:
    """The memory of a large array is handed over as it lies there; a small one stays within."""
    large, small = np.arange(2.0**20), np.arange(8)
    payload, buffers = packed({"large": large, "small": small})
    assert len(payload) < 2000
    (buffer,) = buffers
    assert np.shares_memory(np.frombuffer(buffer), large)
    back = unpacked(payload, buffers)
    assert np.shares_memory(back["large"], large)
    assert back["small"].tolist() == small.tolist()


def test_arrays_go_to_processes_and_back_whole() -> None:
    """Their order in memory and whether they can be written stay as they were; a transposed view comes as an array."""
    array = np.asfortranarray(np.arange(2.0**18).reshape(512, 512))
    frozen = array.copy()
    frozen.flags.writeable = False
    with LocalDaskExecutor("processes", num_workers=1).start() as executor:
        one, other, view = executor.submit(lambda *given: given, array, frozen, array[::2]).result()
    assert np.array_equal(one, array)
    assert one.flags.f_contiguous
    assert one.flags.writeable
    assert not other.flags.writeable
    assert np.array_equal(view, array[::2])


@pytest.mark.parametrize("scheduler", ["processes", "threads"])
def test_a_flow_makes_and_sums_large_arrays(scheduler: str) -> None:
    """They go from task to task and come home as they were, whether the tasks share a batch or not."""

    @task
    def make(number: int) -> Any:
        return np.full(2**17, float(number))

    @task(batch=False)
    def total(array: Any) -> float:
        return float(array.sum())

    @flow
    def sums() -> Any:
        arrays = make.map(range(6))
        return arrays, total.map(arrays)

    arrays, totals = sums.run(executor=LocalDaskExecutor(scheduler, num_workers=2)).result
    assert totals == [number * 2.0**17 for number in range(6)]
    assert [array[-1] for array in arrays] == list(range(6))
    assert all(array.flags.writeable for array in arrays)


def test_threads_copy_nothing() -> None:
    """What a call gets and gives on threads is the object itself."""
    array = np.zeros(2**20)
    with LocalDaskExecutor("threads", num_workers=2).start() as executor:
        assert executor.submit(lambda given: given, array).result() is array
