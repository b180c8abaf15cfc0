"""The executor keeps the contract with each of dask's local schedulers, with one worker, with two and with eight.

Two workers are enough for every day; the variable `TEST_MATRIX=full` asks for all.
"""

from __future__ import annotations

import os

from turgo.testing import ExecutorConformance

FULL = os.environ.get("TEST_MATRIX") == "full"


class TestThreads(ExecutorConformance):
    """Every rule of the contract, on two threads."""

    executor = "local_dask"
    executor_options = {"scheduler": "threads", "num_workers": 2}  # noqa: RUF012  (read, never written)


class TestOneThread(ExecutorConformance):
    """Every rule of the contract, on one thread beside the driver's."""

    __test__ = FULL
    executor = "local_dask"
    executor_options = {"scheduler": "threads", "num_workers": 1}  # noqa: RUF012


class TestEightThreads(ExecutorConformance):
    """Every rule of the contract, on eight threads."""

    __test__ = FULL
    executor = "local_dask"
    executor_options = {"scheduler": "threads", "num_workers": 8}  # noqa: RUF012


class TestProcesses(ExecutorConformance):
    """Every rule of the contract, on two processes."""

    executor = "local_dask"
    executor_options = {"scheduler": "processes", "num_workers": 2}  # noqa: RUF012


class TestOneProcess(ExecutorConformance):
    """Every rule of the contract, on one process beside the driver's."""

    __test__ = FULL
    executor = "local_dask"
    executor_options = {"scheduler": "processes", "num_workers": 1}  # noqa: RUF012


class TestEightProcesses(ExecutorConformance):
    """Every rule of the contract, on eight processes."""

    __test__ = FULL
    executor = "local_dask"
    executor_options = {"scheduler": "processes", "num_workers": 8}  # noqa: RUF012


class TestSynchronous(ExecutorConformance):
    """Every rule of the contract, one call after another."""

    executor = "local_dask"
    executor_options = {"scheduler": "synchronous"}  # noqa: RUF012


class TestSynchronousWithOneWorker(ExecutorConformance):
    """One call after another, whatever `num_workers` says."""

    __test__ = FULL
    executor = "local_dask"
    executor_options = {"scheduler": "synchronous", "num_workers": 1}  # noqa: RUF012


class TestSynchronousWithTwoWorkers(ExecutorConformance):
    """One call after another, whatever `num_workers` says."""

    __test__ = FULL
    executor = "local_dask"
    executor_options = {"scheduler": "synchronous", "num_workers": 2}  # noqa: RUF012


class TestSynchronousWithEightWorkers(ExecutorConformance):
    """One call after another, whatever `num_workers` says."""

    __test__ = FULL
    executor = "local_dask"
    executor_options = {"scheduler": "synchronous", "num_workers": 8}  # noqa: RUF012
