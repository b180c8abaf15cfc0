"""The executor keeps the contract with each of dask's local schedulers, with one worker, with two and with eight.

Two workers are enough; the variable `TEST_MATRIX=full` asks for all. What processes do as threads do has the mark
`matrix`.
"""

from __future__ import annotations

import os

import pytest

from turgo.testing import ExecutorConformance
from turgo.testing.groups.cancellation import Cancellation
from turgo.testing.groups.declared import Declared
from turgo.testing.groups.shutdown import Shutdown
from turgo.testing.groups.submission import Submission
from turgo.testing.groups.trouble import Trouble

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


class Sample(Cancellation, Declared, Shutdown, Submission, Trouble):
    """How calls get there, are taken back and ended, and what becomes of a worker that is lost: not as with threads."""


class Rest(*(group for group in ExecutorConformance.__bases__ if group not in Sample.__bases__)):  # type: ignore[misc]
    """All other rules of the contract."""


class TestProcesses(Sample):
    """On two processes."""

    executor = "local_dask"
    executor_options = {"scheduler": "processes", "num_workers": 2}  # noqa: RUF012


@pytest.mark.matrix
class TestRestOnProcesses(Rest):
    """On two processes too."""

    executor = "local_dask"
    executor_options = TestProcesses.executor_options


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
