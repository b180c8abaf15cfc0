"""What a started executor shows of what is open."""

from __future__ import annotations

from turgo_dask import DaskExecutor


def test_slots_are_the_threads_of_the_workers(cluster: DaskExecutor) -> None:
    """One for each thread of each worker."""
    assert cluster.slots == 2
