"""The executor keeps the contract with each of dask's local schedulers."""

from __future__ import annotations

from penstock.testing import ExecutorConformance


class TestThreads(ExecutorConformance):
    """Every rule of the contract, on threads."""

    executor = "local_dask"
    executor_options = {"scheduler": "threads", "num_workers": 2}  # noqa: RUF012  (read, never written)


class TestProcesses(ExecutorConformance):
    """Every rule of the contract, on processes."""

    executor = "local_dask"
    executor_options = {"scheduler": "processes", "num_workers": 2}  # noqa: RUF012  (read, never written)


class TestSynchronous(ExecutorConformance):
    """Every rule of the contract, one call after another."""

    executor = "local_dask"
    executor_options = {"scheduler": "synchronous"}  # noqa: RUF012  (read, never written)
